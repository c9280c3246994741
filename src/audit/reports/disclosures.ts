import type { AuditEvent } from '../event.ts';
import { fieldsOf, MAX_ROWS, type Reporter, type ReportOptions } from './report-table.ts';

/** 45 CFR 164.528(a)(1): an accounting reaches six years back. */
const YEARS = 6;
/**
 * Purposes that need no accounting, HL7 v3 PurposeOfUse: treatment, payment and operations (164.528(a)(1)(i)), to the
 * person or on their request ((ii), (iv)).
 */
const EXEMPT: ReadonlySet<string> = new Set([
  ...['TREAT', 'ETREAT', 'BTG', 'CLINTRL', 'CAREMGT', 'COC', 'TREATDS'],
  ...['HPAYMT', 'CLMATTCH', 'COVAUTH', 'COVERAGE', 'ELIGDTRM', 'ELIGVER', 'ENROLLM', 'REMITADV'],
  ...['HOPERAT', 'HSYSADMIN', 'HLEGAL', 'HQUALIMP', 'HCOMPL', 'HACCRED', 'HDIRECT', 'PATADMIN', 'FRAUD'],
  ...['PATRQT', 'FAMRQT', 'PWATRNY', 'SUPNWK'],
]);

interface Recurring {
  readonly recipient: string;
  readonly address: string;
  readonly what: string;
  readonly purpose: string;
  first: string;
  last: string;
  count: number;
}

/**
 * The accounting that a patient may ask for (45 CFR 164.528(b)): date, recipient and address, what, purpose. Several
 * to one recipient for one purpose are one line with the first, the last and how many ((b)(3)).
 */
export function disclosuresReport({ patient, now }: ReportOptions): Reporter {
  const from = new Date(now);
  from.setUTCFullYear(from.getUTCFullYear() - YEARS);
  const since = from.toISOString();
  const series = new Map<string, Recurring>();
  return {
    see: (event) => {
      if (event.patient === patient && event.recorded >= since && isAccountable(event)) add(series, event);
    },
    table: () => ({
      name: 'disclosures',
      title: `Accounting of disclosures of ${patient ?? ''} since ${since.slice(0, 10)}`,
      columns: ['First', 'Last', 'Times', 'Recipient', 'Address', 'What', 'Purpose'],
      rows: [...series.values()]
        .sort((a, b) => (a.last < b.last ? 1 : -1))
        .slice(0, MAX_ROWS)
        .map(({ first, last, count, recipient, address, what, purpose }) => [
          first.slice(0, 10),
          last.slice(0, 10),
          String(count),
          recipient,
          address === '' ? 'not known' : address,
          what,
          purpose,
        ]),
      note: 'Left out, as 45 CFR 164.528(a)(1) allows: treatment, payment, operations, and to the person.',
    }),
  };
}

const isAccountable = ({ entity, outcome, purposeOfUse }: AuditEvent): boolean =>
  entity?.recipient !== undefined && outcome === '0' && !EXEMPT.has(purposeOfUse);

function add(series: Map<string, Recurring>, event: AuditEvent): void {
  const { entity, purposeOfUse: purpose, recorded } = event;
  const recipient = entity?.recipient ?? '';
  const address = entity?.recipientAddress ?? '';
  const what = `${entity?.resource ?? ''}: ${fieldsOf(event)}`;
  const key = JSON.stringify([recipient, address, what, purpose]);
  const known = series.get(key);
  if (known === undefined) {
    series.set(key, { recipient, address, what, purpose, first: recorded, last: recorded, count: 1 });
    return;
  }
  known.count += 1;
  if (recorded < known.first) known.first = recorded;
  if (recorded > known.last) known.last = recorded;
}
