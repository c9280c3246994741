import { formatReport } from '../../audit/verify/format.ts';
import { overall, type Report } from '../../audit/verify/report.ts';
import { BACKUP_PLAN } from '../../backup-plan.ts';
import type { Composed } from '../../compose.ts';
import { parseTenantId, type TenantId } from '../../kernel/ids.ts';
import { type Checked, checkBackup, foldersIn } from '../../lifecycle/backup/check-backup.ts';
import { BackupError } from '../../lifecycle/backup/errors.ts';
import { type Restored, readyFor, restoreTenant } from '../../lifecycle/backup/restore.ts';
import { type Command, EXIT, type Invocation, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { progress, startOf } from '../key-jobs.ts';
import { out, table } from '../terminal.ts';
import { verifyTenant } from '../verify-tenant.ts';

/** Puts a tenant back from a backup, erases again whom the tombstones name, and verifies what is there now. */
export const restore: Command = {
  usage: 'FOLDER [--keys FOLDER] [--log FOLDER] [--tenant T] [--dry-run] [--without-tombstones]',
  summary:
    'put a tenant back into a store that has nothing of it; exit 1 when what is there then does not verify',
  options: {
    tenant: { type: 'string' },
    keys: { type: 'string' },
    log: { type: 'string' },
    'dry-run': { type: 'boolean' },
    'without-tombstones': { type: 'boolean' },
  },
  run: async ({ values, positionals: [from, ...more], json }) => {
    if (from === undefined || more.length > 0)
      throw new UsageError('Name one folder: chartseal restore FOLDER');
    const tenant = parseTenantId(values['tenant'] ?? 'riverside');
    const checked = await checkBackup(BACKUP_PLAN, tenant, foldersIn(from, elsewhere(values)));
    const { composed } = await composeHere();
    try {
      if (values['dry-run'] === true) return await dryRun(composed, tenant, { checked, json });
      if (composed.privacy.outside === null && values['without-tombstones'] !== true) throw noOutside();
      return await putBack(composed, tenant, { checked, json });
    } finally {
      await composed.close();
    }
  },
};

function elsewhere({ keys, log }: Invocation['values']) {
  return {
    ...(typeof keys === 'string' && { keys }),
    ...(typeof log === 'string' && { log }),
  };
}

interface Asked {
  readonly checked: Checked;
  readonly json: boolean;
}

async function dryRun({ store }: Composed, tenant: TenantId, { checked, json }: Asked): Promise<number> {
  const begun = await readyFor(store, BACKUP_PLAN, tenant, checked);
  const facts = { tenant, dryRun: true, rows: checked.rows, backup: checked.manifests.data.backup };
  const words = `The backup is whole: ${checked.rows} rows of ${tenant}. ${begun === null ? 'Nothing of it is here' : 'This restore was begun here'}. Nothing was written.`;
  out(json ? JSON.stringify(facts) : words);
  return EXIT.ok;
}

async function putBack(composed: Composed, tenant: TenantId, { checked, json }: Asked): Promise<number> {
  const { tell, end } = progress();
  const restored = await restoreTenant({ ...composed.privacy, plan: BACKUP_PLAN }, tenant, checked, {
    by: startOf({}).by,
    onRows: (part, rows) => tell(() => `${part}: ${rows} rows`),
  }).finally(end);
  const report = composed.proof === null ? null : (await verifyTenant(composed, tenant)).report;
  const { data, log } = checked.manifests;
  const facts = { backup: data.backup, takenAt: data.takenAt, logSize: log.logSize };
  out(
    json
      ? JSON.stringify({ tenant, ...facts, ...restored, report })
      : words(tenant, restored, { ...facts, report }),
  );
  const verdict = report === null ? 'unknown' : settled(report);
  if (restored.keyless > 0 || verdict === 'fail') return EXIT.no;
  return verdict === 'unknown' ? EXIT.unknown : EXIT.ok;
}

/** Nobody signs while a tenant is restored: that the last checkpoint is old is shown, and is no fault of the restore. */
const settled = (report: Report): ReturnType<typeof overall> =>
  overall({ ...report, verdicts: report.verdicts.filter(({ name }) => name !== 'freshness') });

function words(
  tenant: TenantId,
  { rows, erasedAgain, tombstones, keyless }: Restored,
  facts: { takenAt: number; report: Report | null },
): string {
  return [
    `${tenant} is there again, as it was ${new Date(facts.takenAt).toISOString()}.`,
    table([
      ['rows', String(rows)],
      ['erased again', `${erasedAgain} of ${tombstones} tombstones`],
      ['charts without their key', String(keyless)],
    ]),
    facts.report === null
      ? 'Not verified: set CHARTSEAL_CHECKPOINTS, then run "chartseal audit verify".'
      : formatReport(facts.report),
  ].join('\n');
}

const noOutside = (): BackupError =>
  new BackupError(
    'RESTORE_OUTSIDE',
    'Nothing was restored: who was erased since the backup is named outside, and no such place is configured. Set CHARTSEAL_CHECKPOINTS, or, where nobody was erased since, say --without-tombstones.',
  );
