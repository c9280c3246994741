import type { AuditEvent } from '../event.ts';

const COLUMNS: readonly (readonly [string, (event: AuditEvent) => string | undefined])[] = [
  ['recorded', ({ recorded }) => recorded],
  ['id', ({ id }) => id],
  ['operation', ({ operation }) => operation],
  ['action', ({ action }) => action],
  ['outcome', ({ outcome }) => outcome],
  ['reason', ({ reason }) => reason],
  ['user', ({ actor }) => actor.user],
  ['role', ({ actor }) => actor.role],
  ['client', ({ actor }) => actor.client],
  ['patient', ({ patient }) => patient],
  ['resource', ({ entity }) => entity?.resource],
  ['resourceId', ({ entity }) => entity?.id],
  ['fields', ({ entity }) => entity?.fields?.join(' ')],
  ['recipient', ({ entity }) => entity?.recipient],
  ['recipientAddress', ({ entity }) => entity?.recipientAddress],
  ['purposeOfUse', ({ purposeOfUse }) => purposeOfUse],
  ['policy', ({ policy }) => policy],
];

/** The header line, and a line for each event, without a line feed. `index` is empty for what is pending. */
export const csvHeader = (): string => ['index', ...COLUMNS.map(([name]) => name)].map(cell).join(',');
export const csvLine = (event: AuditEvent, index: number | null): string =>
  [index === null ? '' : String(index), ...COLUMNS.map(([, of]) => of(event) ?? '')].map(cell).join(',');

/** Always quoted; what a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection). */
function cell(text: string): string {
  const safe = /^\s*[=+\-@|%\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/u.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
