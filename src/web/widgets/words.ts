/** Dates and times of the clinic, in the person's language. All of them are wall-clock times there: nothing is converted. */

/** `2026-12-01` → `Tuesday, December 1, 2026`. */
export function dateWords(date: string, locale: string | undefined): string {
  return format(`${date}T12:00:00Z`, locale, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  });
}

/** `09:30` → `9:30 AM`; with the offset where the clock shows it twice. */
export function timeWords(
  { time, utcOffset }: { readonly time: string; readonly utcOffset?: string },
  locale: string | undefined,
): string {
  const words = format(`1970-01-01T${time}:00Z`, locale, { hour: 'numeric', minute: '2-digit' });
  return utcOffset === undefined ? words : `${words} (UTC${utcOffset})`;
}

/** `America/New_York` → `Eastern Time`. */
export function zoneWords(zone: string, locale: string | undefined): string {
  try {
    const parts = new Intl.DateTimeFormat(localeOf(locale), {
      timeZone: zone,
      timeZoneName: 'longGeneric',
    }).formatToParts(0);
    return parts.find(({ type }) => type === 'timeZoneName')?.value ?? zone;
  } catch {
    return zone;
  }
}

function format(instant: string, locale: string | undefined, options: Intl.DateTimeFormatOptions): string {
  const at = new Date(instant);
  if (Number.isNaN(at.getTime())) return instant;
  return new Intl.DateTimeFormat(localeOf(locale), { ...options, timeZone: 'UTC' }).format(at);
}

/** The host's word for the language, unless it is none. */
function localeOf(locale: string | undefined): string | undefined {
  try {
    return Intl.getCanonicalLocales(locale)[0];
  } catch {
    return undefined;
  }
}
