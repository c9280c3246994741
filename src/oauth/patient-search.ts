import { z } from 'zod';
import type { Identifiers } from '../crypto/search-facts.ts';
import { ChartsealError } from '../kernel/errors.ts';
import { html, type SafeHtml } from '../kernel/html.ts';
import { type PatientId, parsePatientId, type TenantId } from '../kernel/ids.ts';

/** How staff name a patient on a page of ours: by a handle, or by what finds one. */
export type Who = { readonly handle: string } | Identifiers;

/** Finds patients by two identifiers. */
export type FindPatients = (tenant: TenantId, by: Identifiers) => Promise<PatientId[]>;

const text = (max: number) => z.string().trim().max(max);
const typed = z.object({
  handle: text(64),
  family: text(100),
  given: text(100),
  birthDate: text(10),
  mrn: text(64),
});

/** The fields of a form that names a patient. */
export const whoFields: SafeHtml = html`<fieldset>
        <legend>Patient</legend>
        <label for="family">Family name</label>
        <input id="family" name="family" maxlength="100" autofocus>
        <label for="given">Given name</label>
        <input id="given" name="given" maxlength="100">
        <label for="birthDate">Birth date</label>
        <input id="birthDate" name="birthDate" type="date">
        <label for="mrn">Or the record number, with the birth date</label>
        <input id="mrn" name="mrn" maxlength="64">
        <label for="handle">Or the handle that the assistant showed</label>
        <input id="handle" name="handle" maxlength="64" spellcheck="false">
      </fieldset>`;

/** What to say when {@link readWho} reads nothing. */
export const WHO_ADVICE = 'Give the patient’s handle, or the birth date with the name or the record number.';

/** Who is named; null when too little is said, or in another form. */
export function readWho(form: URLSearchParams): Who | null {
  const named = Object.fromEntries(Object.keys(typed.shape).map((name) => [name, form.get(name) ?? '']));
  const parsed = typed.safeParse(named);
  if (!parsed.success) return null;
  const { handle, family, given, birthDate, mrn } = parsed.data;
  if (handle !== '') return { handle };
  if (!/^\d{4}-\d{2}-\d{2}$/.test(birthDate)) return null;
  if (mrn !== '') return { mrn, birthDate };
  return family !== '' && given !== '' ? { name: { family, given }, birthDate } : null;
}

/** Null when nobody, or more than one, is found: a page says the same for both, and asks for more. */
export async function patientNamed(
  find: FindPatients,
  tenant: TenantId,
  who: Who,
): Promise<PatientId | null> {
  try {
    if ('handle' in who) return parsePatientId(who.handle);
    const found = await find(tenant, who);
    return found.length === 1 ? (found[0] ?? null) : null;
  } catch (error) {
    if (error instanceof ChartsealError && !error.retryable) return null;
    throw error;
  }
}
