import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AuditEntry } from '../../audit/append.ts';
import { IMPORT_LIMITS } from '../../clinic/fhir-import.ts';
import { type ImportedPatient, importPatient } from '../../clinic/import-patient.ts';
import { addMember } from '../../clinic/tenants.ts';
import type { Composed } from '../../compose.ts';
import { createAccounts } from '../../dev/auth/accounts.ts';
import { DEMO_PASSWORD } from '../../dev/people.ts';
import { parseTenantId, parseUserId, randomId, type TenantId } from '../../kernel/ids.ts';
import { documentsNamedIn } from '../../lifecycle/export/document-files.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { out, table } from '../terminal.ts';

/** Seals a FHIR bundle as a new chart, and says what it took and what it left. */
export const patientImport: Command = {
  usage: 'FILE [--tenant T] [--sign-in EMAIL]',
  summary: 'seal a FHIR R4 patient bundle as a new chart',
  options: { tenant: { type: 'string' }, 'sign-in': { type: 'string' } },
  run: async ({ values, positionals, json }) => {
    const [file] = positionals;
    if (file === undefined || positionals.length > 1)
      throw new UsageError('Name one file: chartseal patient import FILE');
    const tenant = parseTenantId(values['tenant'] ?? 'riverside');
    const bundle = await textOf(file);
    const { composed, env } = await composeHere();
    try {
      const { patients, audit } = composed.services;
      const done = await importPatient(bundle, { tenant, patients, audit, by: 'operator' });
      const documents = await importDocuments(composed, { tenant, done, bundle, beside: dirname(file) });
      const email = values['sign-in'];
      if (typeof email === 'string') await giveAccount(composed, env, { email, tenant, done });
      out(json ? JSON.stringify({ tenant, ...done, documents }) : report(tenant, done, documents));
      return EXIT.ok;
    } finally {
      await composed.close();
    }
  },
};

async function textOf(file: string): Promise<string> {
  const size = await stat(file).then(
    (found) => found.size,
    () => -1,
  );
  if (size < 0) throw new UsageError('That file cannot be read. Check the path.');
  if (size > IMPORT_LIMITS.bytes) throw new UsageError('The file is over 8 MiB. Nothing was imported.');
  return readFile(file, 'utf8');
}

/** The files of an export's documents, if they lie beside its bundle. Returns how many were sealed. */
async function importDocuments(
  { documents }: Composed,
  from: { tenant: TenantId; done: ImportedPatient; bundle: string; beside: string },
): Promise<number> {
  const of = { tenant: from.tenant, patient: from.done.patient };
  let sealed = 0;
  for (const { path, ...named } of documentsNamedIn(from.bundle)) {
    const file = join(from.beside, path);
    if ((await stat(file).catch(() => null)) === null) continue;
    const bytes = createReadStream(file) as AsyncIterable<Buffer>;
    await documents.add(of, { ...named, addedBy: 'operator', bytes }, importedEntry);
    sealed += 1;
  }
  return sealed;
}

const importedEntry = (id: string): AuditEntry => ({
  action: 'C',
  operation: 'patient import',
  outcome: '0',
  actor: { user: 'operator', role: 'admin', client: 'chartseal' },
  entity: { resource: 'DocumentReference', id, fields: ['file'] },
  purposeOfUse: 'HOPERAT',
  policy: 'operator-import',
});

/** On the local stack only: an account that can sign in and read the chart. */
async function giveAccount(
  composed: Composed,
  env: Readonly<Record<string, string | undefined>>,
  account: { email: string; tenant: TenantId; done: ImportedPatient },
): Promise<void> {
  const emulator = env['FIREBASE_AUTH_EMULATOR_HOST'];
  if (emulator === undefined) throw new UsageError('--sign-in works on the local stack only.');
  const { email, tenant, done } = account;
  const userId = randomId('usr');
  await createAccounts({
    emulatorUrl: `http://${emulator}`,
    projectId: env['GCLOUD_PROJECT'] ?? '',
    accounts: [{ userId, email, password: DEMO_PASSWORD, tenant }],
  });
  await addMember(composed.services, tenant, {
    user: parseUserId(userId),
    role: 'patient',
    patient: done.patient,
    by: 'operator',
  });
}

function report(tenant: TenantId, { patient, imported, left }: ImportedPatient, documents: number): string {
  const rows = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([type, n]) => [type, String(n)]);
  const taken = { ...imported, ...(documents > 0 && { 'document files': documents }) };
  const lines = [`Sealed as ${patient} in ${tenant}.`, '', 'Imported', table(rows(taken))];
  if (Object.keys(left).length > 0)
    lines.push('Left out (a chart does not keep these yet)', table(rows(left)));
  return lines.join('\n');
}
