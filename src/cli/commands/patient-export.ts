import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Composed } from '../../compose.ts';
import { type PatientId, parsePatientId, parseTenantId, type TenantId } from '../../kernel/ids.ts';
import { pathOfDocument } from '../../lifecycle/export/document-files.ts';
import { EXPORT_FILE_IDS, EXPORT_FILES, exportFilesOf } from '../../lifecycle/export/files.ts';
import { requireHeld } from '../../lifecycle/export/make-export.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { out, table } from '../terminal.ts';

/** Everything that is held on a patient, in clear, for the operator. Its event is committed before the first byte. */
export const patientExport: Command = {
  usage: 'PATIENT [--out FOLDER] [--tenant T]',
  summary: 'everything that is held on a patient: FHIR R4, a page to read, every access',
  options: { tenant: { type: 'string' }, out: { type: 'string' } },
  run: async ({ values, positionals: [patient, ...more], json }) => {
    if (patient === undefined || more.length > 0)
      throw new UsageError('Name one patient: chartseal patient export PATIENT');
    const of = { tenant: parseTenantId(values['tenant'] ?? 'riverside'), patient: parsePatientId(patient) };
    const folder = typeof values['out'] === 'string' ? values['out'] : `export-${of.patient}`;
    const { composed } = await composeHere();
    try {
      const files = await exportTo(composed, of, folder);
      if (json) out(JSON.stringify({ ...of, folder, files }));
      else
        out(
          [
            `Written to ${folder}, readable by you alone. It is all in clear: keep it safe.`,
            '',
            table(files),
          ].join('\n'),
        );
      return EXIT.ok;
    } finally {
      await composed.close();
    }
  },
};

/** File name and what it is, for each. */
async function exportTo(
  { services, privacy, documents }: Composed,
  of: { tenant: TenantId; patient: PatientId },
  folder: string,
): Promise<string[][]> {
  const held = await requireHeld(privacy, of, services.clock());
  const files = exportFilesOf(held);
  await services.audit.append(of.tenant, {
    action: 'R',
    operation: 'patient export',
    outcome: '0',
    actor: { user: 'operator', role: 'admin', client: 'chartseal' },
    patient: held.alias,
    entity: {
      resource: 'DocumentReference',
      fields: [...EXPORT_FILE_IDS.map((id) => EXPORT_FILES[id].name), 'documents'],
      recipient: 'the operator',
    },
    purposeOfUse: 'PATRQT',
    policy: 'operator-export',
  });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const id of EXPORT_FILE_IDS)
    await writeFile(join(folder, EXPORT_FILES[id].name), files[id], { mode: 0o600 });
  if (held.documents.length > 0) await mkdir(join(folder, 'documents'), { recursive: true, mode: 0o700 });
  for (const document of held.documents) {
    const { bytes } = await documents.open(of, document.id);
    await pipeline(bytes, createWriteStream(join(folder, pathOfDocument(document)), { mode: 0o600 }));
  }
  return [
    ...EXPORT_FILE_IDS.map((id) => [EXPORT_FILES[id].name, EXPORT_FILES[id].words]),
    ...held.documents.map((document) => [pathOfDocument(document), document.title]),
  ];
}
