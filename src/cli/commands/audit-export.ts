import { createWriteStream, existsSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { originOf } from '../../audit/checkpoint.ts';
import { writeBundle } from '../../audit/export/bundle-out.ts';
import { exportLines, LINE_FORMATS } from '../../audit/export/lines.ts';
import { storeSource } from '../../audit/store-source.ts';
import type { Composed } from '../../compose.ts';
import { storedDigests } from '../../crypto/stored-digests.ts';
import { buildVerifier } from '../../dev/build-verifier.ts';
import { parseTenantId, type TenantId } from '../../kernel/ids.ts';
import { evidenceOf } from '../audit-inputs.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { out } from '../terminal.ts';

const FORMATS = [...LINE_FORMATS, 'bundle'] as const;
type Format = (typeof FORMATS)[number];

/** Writes a tenant's audit log to a file, or with everything that proves it to a folder. Logged before it begins. */
export const auditExport: Command = {
  usage: '--format ndjson|csv|fhir|cef|bundle --out PATH [--tenant T]',
  summary: 'write the audit log, or an evidence bundle that verifies itself',
  options: { tenant: { type: 'string' }, format: { type: 'string' }, out: { type: 'string' } },
  run: async ({ values, positionals, json }) => {
    const format = FORMATS.find((one) => one === values['format']);
    const path = values['out'];
    if (format === undefined || positionals.length > 0)
      throw new UsageError(`Say which: --format ${FORMATS.join('|')}`);
    if (typeof path !== 'string') throw new UsageError('Say where to: --out PATH');
    if (existsSync(path))
      throw new UsageError('There is something at that path already. Nothing is replaced.');
    const tenant = parseTenantId(values['tenant'] ?? 'riverside');
    const { composed } = await composeHere();
    try {
      await logExport(composed, tenant, format);
      const source = storeSource(composed.store.tenant(tenant));
      const events =
        format === 'bundle'
          ? await bundle(composed, tenant, path)
          : await file(path, exportLines(source, format, originOf(composed.projectId, tenant)));
      out(json ? JSON.stringify({ tenant, format, path, events }) : `${events} events written to ${path}.`);
      return EXIT.ok;
    } finally {
      await composed.close();
    }
  },
};

/** The intent is committed before the first byte leaves. */
async function logExport({ services }: Composed, tenant: TenantId, format: Format): Promise<void> {
  await services.audit.append(tenant, {
    action: 'R',
    operation: 'audit export',
    outcome: '0',
    actor: { user: 'operator', role: 'admin', client: 'chartseal' },
    entity: { resource: 'AuditEvent', fields: [format] },
    purposeOfUse: 'HOPERAT',
    policy: 'operator-export',
  });
}

async function bundle(composed: Composed, tenant: TenantId, folder: string): Promise<number> {
  const rows = composed.store.tenant(tenant);
  return writeBundle(folder, {
    tenant,
    ...(await evidenceOf(composed, tenant)),
    source: storeSource(rows),
    stored: storedDigests(rows),
    verifier: await buildVerifier(),
    now: Date.now(),
  });
}

async function file(path: string, lines: AsyncIterable<string>): Promise<number> {
  let count = 0;
  const counted = async function* () {
    for await (const line of lines) {
      count += 1;
      yield `${line}\n`;
    }
  };
  await pipeline(counted(), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  return count;
}
