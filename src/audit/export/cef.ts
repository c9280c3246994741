import { VERSION } from '../../kernel/version.ts';
import type { AuditEvent } from '../event.ts';

/** Of 10: what a security team looks at first. */
const SEVERITY: Readonly<Record<AuditEvent['outcome'], number>> = { '0': 2, '4': 5, '8': 6 };
const EMERGENCY = 8;

/**
 * An event as a line of CEF (ArcSight Common Event Format, version 0), as SIEMs take it. The leaf's own id is in it, so that
 * a line leads back to what can be proven; field names, never values.
 */
export function cefLine(event: AuditEvent, index: number | null): string {
  const { operation, outcome, purposeOfUse, actor, entity } = event;
  const severity = purposeOfUse === 'ETREAT' ? EMERGENCY : SEVERITY[outcome];
  const header = ['CEF:0', 'Chartseal', 'Chartseal', VERSION, operation, operation, String(severity)];
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['rt', String(Date.parse(event.recorded))],
    ['externalId', event.id],
    ['suser', actor.user],
    ['spriv', actor.role],
    ['requestClientApplication', actor.client],
    ['act', event.action],
    ['outcome', outcome === '0' ? 'success' : 'failure'],
    ['reason', event.reason],
    ['duid', event.patient],
    ['fileType', entity?.resource],
    ['fileId', entity?.id],
    ['cs1Label', 'purposeOfUse'],
    ['cs1', purposeOfUse],
    ['cs2Label', 'policy'],
    ['cs2', event.policy],
    ['cs3Label', 'fields'],
    ['cs3', entity?.fields?.join(' ')],
    ['cs4Label', 'tenant'],
    ['cs4', event.tenant],
    ['cn1Label', 'index'],
    ['cn1', index === null ? undefined : String(index)],
  ];
  const extension = fields.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${inField(value)}`],
  );
  return `${header.map(inHeader).join('|')}|${extension.join(' ')}`;
}

/** One line for each event, whatever is in it. */
const oneLine = (text: string): string => text.replaceAll(/[\r\n\u2028\u2029]/g, ' ');
const inHeader = (text: string): string => oneLine(text).replaceAll('\\', '\\\\').replaceAll('|', '\\|');
const inField = (text: string): string => oneLine(text).replaceAll('\\', '\\\\').replaceAll('=', '\\=');
