import type { AuditEvent } from '../event.ts';
import { MAX_ROWS, type Reporter, type ReportOptions } from './report-table.ts';

interface Erased {
  begun: string;
  logicalAt: string;
  purgedAt: string;
  finalAt: string;
  outside: string;
  again: number;
}

const FINAL = 'finalAt.';
const OUTSIDE = 'tombstoneOutside.';

/** What the event of a finished erasure tells of its receipt, for {@link erasuresReport}. */
export const receiptFields = (receipt: { finalAt: number; outside: boolean }): string[] => [
  `${FINAL}${new Date(receipt.finalAt).toISOString()}`,
  `${OUTSIDE}${receipt.outside ? 'yes' : 'no'}`,
];

/** The receipts of erasures: since when nothing opens, and when the last copy is gone. The newest first. */
export function erasuresReport({ patient, now }: ReportOptions): Reporter {
  const erased = new Map<string, Erased>();
  return {
    see: (event) => {
      if (event.patient === undefined || event.outcome !== '0') return;
      if (patient === undefined || event.patient === patient) note(erased, event.patient, event);
    },
    table: () => ({
      name: 'erasures',
      title: 'Erasures and their receipts',
      columns: [
        'Patient alias',
        'Begun (UTC)',
        'Keys destroyed',
        'Rows gone',
        'Last copy gone',
        'Outside',
        'Again',
      ],
      rows: [...erased]
        .sort(([, a], [, b]) => (a.begun < b.begun ? 1 : -1))
        .slice(0, MAX_ROWS)
        .map(([alias, one]) => [
          alias,
          one.begun,
          one.logicalAt === '' ? 'not yet' : one.logicalAt,
          one.purgedAt === '' ? 'not yet' : one.purgedAt,
          saidFinal(one.finalAt, now),
          one.outside,
          one.again === 0 ? '' : `${one.again} after a restore`,
        ]),
      note: 'Outside: the tombstone lies where no restore of the store reaches. The last copy is the oldest backup’s, or gone with the key that opens it.',
    }),
  };
}

function note(erased: Map<string, Erased>, alias: string, { operation, recorded, entity }: AuditEvent): void {
  const begins = operation === 'beginErasure' || operation === 'reapplyTombstone';
  const known = erased.get(alias);
  if (known === undefined && !begins && operation !== 'erasePatient' && operation !== 'finishErasure') return;
  const one = known ?? { begun: recorded, logicalAt: '', purgedAt: '', finalAt: '', outside: '', again: 0 };
  erased.set(alias, one);
  if (operation === 'beginErasure') one.begun = recorded;
  if (operation === 'erasePatient') one.logicalAt = recorded;
  if (operation === 'reapplyTombstone') one.again += 1;
  if (operation !== 'finishErasure' && operation !== 'hastenErasure') return;
  if (operation === 'finishErasure') one.purgedAt = recorded;
  one.finalAt = valueOfField(entity?.fields, FINAL);
  one.outside = valueOfField(entity?.fields, OUTSIDE);
}

const valueOfField = (fields: readonly string[] = [], start: string): string =>
  fields.find((field) => field.startsWith(start))?.slice(start.length) ?? '';

const saidFinal = (at: string, now: number): string =>
  at === '' ? 'not known yet' : Date.parse(at) <= now ? `since ${at}` : `on ${at}`;
