import type { Appointment } from '../../clinic/appointment.ts';
import type { Chart } from '../../clinic/chart.ts';
import type { ChartDocument } from '../../clinic/documents/document.ts';
import type { Refusal } from '../requests/request.ts';

/** How long copies and records are kept. Times in ms. */
export interface RetentionRules {
  /** A record is kept so long after the last treatment that it tells of; 0 keeps it no longer than wanted. */
  readonly recordMs: number;
  /** Backups of the database are gone after so long. */
  readonly backupMs: number;
}

/** An unwrapped key lives no longer in any process: the bound of the key cache. */
export const CACHE_MS = 300_000;

/** What the rules look at. */
export interface Erasable {
  /** The last treatment that the chart tells of; null for none. */
  readonly treatedAt: number | null;
  /** Somebody needs the record for a claim or an investigation. */
  readonly held: boolean;
  readonly now: number;
}

/** Why a record may not be erased yet; null when it may. */
export function refusalOf({ treatedAt, held, now }: Erasable, { recordMs }: RetentionRules): Refusal | null {
  if (held) return 'legal-hold';
  return treatedAt !== null && treatedAt + recordMs > now ? 'retention' : null;
}

/** When the last copy is gone: the last backup that holds it, and the last process that could hold a key. */
export const finalAtOf = (purgedAt: number, { backupMs }: RetentionRules): number =>
  purgedAt + Math.max(backupMs, CACHE_MS);

const TREATED: readonly Appointment['status'][] = ['arrived', 'checked-in', 'fulfilled'];
/** What these bring tells of no treatment here. */
const OUTSIDERS: readonly string[] = ['patient', 'proxy'];

/** What a record tells of treatment by. */
export interface Treatments {
  readonly chart?: Pick<Partial<Chart>, 'clinical'>;
  readonly visits?: readonly Pick<Appointment, 'status' | 'end'>[];
  readonly documents?: readonly Pick<ChartDocument, 'addedAt' | 'addedBy'>[];
}

/**
 * The last treatment up to `now` that a record tells of: a visit that took place, a dated entry, or a document that the
 * clinic put into it.
 */
export function treatedAt(
  { chart = {}, visits = [], documents = [] }: Treatments,
  now: number,
): number | null {
  const dates = [
    ...documents.filter(({ addedBy }) => !OUTSIDERS.includes(addedBy)).map(({ addedAt }) => addedAt),
    ...visits.filter(({ status }) => TREATED.includes(status)).map(({ end }) => end),
    ...(chart.clinical?.resources ?? []).flatMap((one) =>
      [one.effectiveDateTime, one.occurrenceDateTime, one.authoredOn, one.recordedDate].map((date) =>
        Date.parse(date ?? ''),
      ),
    ),
  ].filter((date) => !Number.isNaN(date) && date <= now);
  return dates.length === 0 ? null : dates.reduce((a, b) => Math.max(a, b));
}
