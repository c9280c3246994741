import { eventsOf } from '../../audit/log-events.ts';
import { makeReport } from '../../audit/reports/report.ts';
import { REPORTS, type ReportName, type ReportTable } from '../../audit/reports/report-table.ts';
import { storeSource } from '../../audit/store-source.ts';
import type { Composed } from '../../compose.ts';
import { patientKeys } from '../../crypto/patient-keys.ts';
import { ref } from '../../kernel/collection.ts';
import { parseTenantId, type TenantId } from '../../kernel/ids.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { bold, out, table } from '../terminal.ts';

/** A report from the audit log. It is an event of the log itself, committed before the first row is shown. */
export const auditReport: Command = {
  usage: `${REPORTS.join('|')} [--patient PATIENT] [--tenant T]`,
  summary: 'who opened a chart, what was disclosed, what each person did, emergencies, denials',
  options: { tenant: { type: 'string' }, patient: { type: 'string' } },
  run: ({ values, positionals: [word, ...more], json }) => {
    const name = REPORTS.find((one) => one === word);
    if (name === undefined || more.length > 0)
      throw new UsageError(`Name one report: ${REPORTS.join(', ')}.`);
    return show(name, { tenant: values['tenant'], patient: values['patient'], json });
  },
};

/** The accounting of disclosures that a patient may ask for. */
export const auditDisclosures: Command = {
  usage: 'PATIENT [--tenant T]',
  summary: 'the accounting of disclosures of one patient (45 CFR 164.528), six years back',
  options: { tenant: { type: 'string' } },
  run: ({ values, positionals: [patient, ...more], json }) => {
    if (patient === undefined || more.length > 0)
      throw new UsageError('Name one patient: chartseal audit disclosures PATIENT');
    return show('disclosures', { tenant: values['tenant'], patient, json });
  },
};

async function show(
  name: ReportName,
  asked: { tenant: unknown; patient: unknown; json: boolean },
): Promise<number> {
  const tenant = parseTenantId(asked.tenant ?? 'riverside');
  const { patient } = asked;
  if (typeof patient !== 'string' && (name === 'access' || name === 'disclosures'))
    throw new UsageError('Say whose chart: --patient PATIENT, a handle or an alias.');
  const { composed } = await composeHere();
  try {
    const alias = typeof patient === 'string' ? await aliasOf(composed, tenant, patient) : undefined;
    await logReport(composed, tenant, { name, alias });
    const report = await makeReport(name, eventsOf(storeSource(composed.store.tenant(tenant))), {
      now: Date.now(),
      ...(alias === undefined ? {} : { patient: alias }),
    });
    out(asked.json ? JSON.stringify({ tenant, ...report }) : formatTable(report));
    return EXIT.ok;
  } finally {
    await composed.close();
  }
}

/** Events name aliases. A handle leads to its alias as long as the patient is there. */
async function aliasOf({ store }: Composed, tenant: TenantId, patient: string): Promise<string> {
  if (patient.startsWith('pa_')) return patient;
  const [row] = await store.tenant(tenant).get(ref(patientKeys, patient));
  if (row === null)
    throw new UsageError('There is no such patient here. Give a handle (pat_…) or an alias (pa_…).');
  return row.alias;
}

async function logReport(
  { services }: Composed,
  tenant: TenantId,
  { name, alias }: { name: ReportName; alias: string | undefined },
): Promise<void> {
  await services.audit.append(tenant, {
    action: 'R',
    operation: 'audit report',
    outcome: '0',
    actor: { user: 'operator', role: 'admin', client: 'chartseal' },
    entity: { resource: 'AuditEvent', ...(alias === undefined ? {} : { id: alias }), fields: [name] },
    purposeOfUse: 'HOPERAT',
    policy: 'operator-report',
  });
}

function formatTable({ title, columns, rows, note }: ReportTable): string {
  const body = rows.length === 0 ? '  none' : table([columns, ...rows]);
  return [bold(title), '', body, '', note, 'Prove the events with "chartseal audit verify".'].join('\n');
}
