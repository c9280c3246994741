import { writeFile } from 'node:fs/promises';
import { formatReport } from '../../audit/verify/format.ts';
import { overall } from '../../audit/verify/report.ts';
import type { VerifyOptions } from '../../audit/verify/verify-log.ts';
import { parseTenantId, type TenantId } from '../../kernel/ids.ts';
import { cloudTrailOf, fileOf, journalOf, pinnedKeys } from '../audit-inputs.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { out } from '../terminal.ts';
import { verifyTenant } from '../verify-tenant.ts';

type Values = Readonly<Record<string, unknown>>;
const CODES = { pass: EXIT.ok, fail: EXIT.no, unknown: EXIT.unknown } as const;

/** Verifies a tenant's audit log against its checkpoints, and what else the auditor brings. */
export const auditVerify: Command = {
  usage: '[--tenant T] [--checkpoint FILE] [--keys FILE] [--journal FILE] [--cloudtrail FILE] [--save FILE]',
  summary: 'prove that the audit log is whole: exit 1 when anything is wrong',
  options: {
    tenant: { type: 'string' },
    checkpoint: { type: 'string', multiple: true },
    keys: { type: 'string' },
    journal: { type: 'string' },
    cloudtrail: { type: 'string' },
    save: { type: 'string' },
  },
  run: async ({ values, positionals, json }) => {
    if (positionals.length > 0) throw new UsageError('This command takes options only.');
    const tenant = parseTenantId(values['tenant'] ?? 'riverside');
    const brought = await filesOf(values, tenant);
    const { composed } = await composeHere();
    try {
      const { report, checkpoint } = await verifyTenant(composed, tenant, brought);
      out(json ? JSON.stringify(report) : formatReport(report));
      const verdict = overall(report);
      const save = values['save'];
      if (typeof save === 'string' && verdict === 'pass' && checkpoint !== null)
        await writeFile(save, checkpoint);
      return CODES[verdict];
    } finally {
      await composed.close();
    }
  },
};

/** What the auditor brought, read before anything is connected to. */
async function filesOf(values: Values, tenant: TenantId): Promise<Partial<VerifyOptions>> {
  const { checkpoint, keys, journal, cloudtrail } = values;
  for (const file of [journal, cloudtrail]) if (typeof file === 'string') await fileOf(file);
  return {
    ...(Array.isArray(checkpoint)
      ? { earlier: await Promise.all(checkpoint.map((file: string) => fileOf(file))) }
      : {}),
    ...(typeof keys === 'string' ? { keys: await pinnedKeys(keys), pinned: true } : {}),
    ...(typeof journal === 'string' ? { journal: journalOf(journal, tenant) } : {}),
    ...(typeof cloudtrail === 'string' ? { keyUse: cloudTrailOf(cloudtrail) } : {}),
  };
}
