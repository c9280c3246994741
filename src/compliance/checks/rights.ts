import { type Check, cannotTell, count, judge } from '../check.ts';
import { foundJson } from '../scan/places.ts';

const DAY_MS = 86_400_000;
const YEAR_MS = 365.25 * DAY_MS;
/** A day's backup that failed once, and the next. */
const MADE_DAYS = 2;
const READ_DAYS = 366;
const said = (days: number | null): string =>
  days === null ? 'never' : `${count(Math.floor(days), 'day')} ago`;
const MOST_BACKUP_DAYS = 90;

/** What people may demand of their data, and how long it is kept. */
export const RIGHTS: readonly Check[] = [
  {
    id: 'requests-answered',
    title: 'Every request about a person’s data was answered within 30 days',
    method: 'TEST',
    remedy: 'Answer what is late at /privacy.',
    run: ({ rows: { duties } }) =>
      judge(duties.lateRequests.count === 0, {
        yes: `${count(duties.requests, 'request')}, none late.`,
        no: `${count(duties.lateRequests.count, 'request')} not answered within 30 days.`,
        evidence: { requests: duties.requests, ...(foundJson(duties.lateRequests) as object) },
      }),
  },
  {
    id: 'erasures-finish',
    title: 'Every erasure that began ended within a day',
    method: 'TEST',
    remedy: 'See why privacyRequests does not run; the erasure goes on where it stopped.',
    run: ({ rows: { duties } }) =>
      judge(duties.stuckErasures.count === 0, {
        yes: `${count(duties.erasures, 'erasure')}, none under way for over a day.`,
        no: `${count(duties.stuckErasures.count, 'erasure')} began over a day ago and did not end.`,
        evidence: { erasures: duties.erasures, ...(foundJson(duties.stuckErasures) as object) },
      }),
  },
  {
    id: 'erasure-receipts',
    title: 'Every finished erasure left a whole receipt',
    method: 'TEST',
    remedy: 'Look at the named erasures: each says when the keys, the rows and the last copy are gone.',
    run: ({ rows: { duties } }) =>
      judge(duties.partReceipts.count === 0, {
        yes: `${count(duties.erasures, 'erasure')}; each that is finished says when everything is gone.`,
        no: `${count(duties.partReceipts.count, 'finished erasure')} whose receipt is not whole.`,
        evidence: { erasures: duties.erasures, ...(foundJson(duties.partReceipts) as object) },
      }),
  },
  {
    id: 'erased-stay-erased',
    title: 'Nobody who was erased has keys again',
    method: 'TEST',
    remedy: 'A restore brought them back: reapply the tombstones before serving anything (docs/runbook.md).',
    run: ({ rows: { duties } }) =>
      judge(duties.returned.count === 0, {
        yes: `${count(duties.tombstones, 'tombstone')}, no key behind any.`,
        no: `${count(duties.returned.count, 'erased patient')} with keys again.`,
        evidence: { tombstones: duties.tombstones, ...(foundJson(duties.returned) as object) },
      }),
  },
  {
    id: 'record-retention',
    title: 'Records are kept for as long as the law of the clinic’s place asks',
    method: 'EXAMINE',
    remedy: 'Set CHARTSEAL_RETENTION_YEARS to what the clinic’s counsel says; seven years is the default.',
    run: ({ config: { recordMs } }) =>
      judge(recordMs > 0, {
        yes: `Records are kept ${recordMs / YEAR_MS} years after the last treatment; which law applies, a person decides.`,
        no: 'No least time is set: a record may be erased at once.',
        evidence: { years: recordMs / YEAR_MS },
      }),
  },
  {
    id: 'backups-end',
    title: 'The last backup of what was erased is gone within a bound',
    method: 'EXAMINE',
    remedy: 'Shorten the retention of backups, and set CHARTSEAL_BACKUP_DAYS to it.',
    run: ({ config: { backupMs } }) =>
      judge(backupMs > 0 && backupMs <= MOST_BACKUP_DAYS * DAY_MS, {
        yes: `Receipts promise the last backup gone after ${backupMs / DAY_MS} days.`,
        no: `Backups last ${backupMs / DAY_MS} days; ${MOST_BACKUP_DAYS} is the most here.`,
        evidence: { days: backupMs / DAY_MS },
      }),
  },
  {
    id: 'backups-restorable',
    title: 'Backups are made, and read again whole',
    method: 'TEST',
    remedy: 'See why no backup was made: run "chartseal backup", and rehearse a restore of it.',
    run: ({ backups, at }) => {
      if (backups === null)
        return cannotTell(
          'No backup of ours was made, and others are not seen from here. Look at the database’s backup schedule and at the last restore that was tried.',
        );
      const age = (time: number | null): number | null => (time === null ? null : (at - time) / DAY_MS);
      const [made, read] = [age(backups.madeAt), age(backups.verifiedAt)];
      return judge(made !== null && made <= MADE_DAYS && read !== null && read <= READ_DAYS, {
        yes: `The last backup was made ${said(made)}, and one was last read again whole ${said(read)}.`,
        no: `A backup is made every ${MADE_DAYS} days at the least, and one read again every ${READ_DAYS}; here ${said(made)}, and ${said(read)}.`,
        evidence: { madeDaysAgo: made, readDaysAgo: read },
      });
    },
  },
];
