/** Instants as people read them: UTC, and the clinic's wall clock. */

let format: Intl.DateTimeFormat | null = null;

/** Call once, before {@link clinicTime}. `zone` is an IANA name. */
export function setClinicZone(zone: string): void {
  format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
}

/** `2026-11-24 14:00:00`; empty for an instant that is not known. */
export const utcTime = (recorded: string): string => recorded.slice(0, 19).replace('T', ' ');

export function clinicTime(recorded: string): string {
  const at = Date.parse(recorded);
  return Number.isNaN(at) || format === null ? '' : format.format(at);
}
