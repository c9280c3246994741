import type { Composed } from '../../compose.ts';
import { parseTenantId, type TenantId } from '../../kernel/ids.ts';
import { EPOCH_DAYS, readEpoch, setStrong } from '../../lifecycle/rotation/key-epochs.ts';
import { type EpochStep, stepEpoch } from '../../lifecycle/rotation/turn-epoch.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { numberOption, startOf, workHere } from '../key-jobs.ts';
import { out, table } from '../terminal.ts';

/** The strong mode of erasure: a new KMS key for the tenant, and the old one destroyed with all that it ever wrapped. */
export const keysEpoch: Command = {
  usage: '[on|off|turn] [--tenant T] [--days N]',
  summary:
    'strong erasure: "on" lets erasures move the tenant to a new KMS key and destroy the old; "turn" does it now',
  options: { tenant: { type: 'string' }, days: { type: 'string' } },
  run: async ({ values, positionals: [word = 'show', ...more], json }) => {
    if (!['show', 'on', 'off', 'turn'].includes(word) || more.length > 0)
      throw new UsageError('Say "on", "off" or "turn", or nothing to see how it stands.');
    const days = numberOption(values, 'days', EPOCH_DAYS);
    const tenant = parseTenantId(values['tenant'] ?? 'riverside');
    const { composed } = await composeHere();
    try {
      const { by } = startOf({});
      if (word === 'on' || word === 'off') {
        const before = await readEpoch(composed.store, tenant);
        await setStrong(composed.rotations, tenant, { strong: word === 'on', days: days ?? before.days, by });
      }
      return word === 'turn' ? await turn(composed, tenant, json) : await show(composed, tenant, json);
    } finally {
      await composed.close();
    }
  },
};

async function show({ store }: Composed, tenant: TenantId, json: boolean): Promise<number> {
  const epoch = await readEpoch(store, tenant);
  const time = (at: number | null): string => (at === null ? 'never' : new Date(at).toISOString());
  const rows = [
    [
      'strong erasure',
      epoch.strong ? `on; a key that was left is destroyed after ${epoch.days} days` : 'off',
    ],
    ['last turn begun', time(epoch.begunAt)],
    ['under way', epoch.from === null ? 'no' : `from ${epoch.from}`],
    ['last key destroyed', time(epoch.deletedAt)],
  ];
  out(json ? JSON.stringify({ tenant, ...epoch }) : table(rows));
  return EXIT.ok;
}

async function turn(composed: Composed, tenant: TenantId, json: boolean): Promise<number> {
  const { rotations } = composed;
  const { by } = startOf({});
  let step = await stepEpoch(rotations, tenant, by);
  while (step.state === 'moving') {
    const { state } = await workHere(composed, tenant, step.job);
    if (state === 'running' || state === 'paused') break;
    step = await stepEpoch(rotations, tenant, by);
  }
  out(json ? JSON.stringify({ tenant, ...step }) : wordsOf(step));
  if (step.state === 'stuck' || step.state === 'abandoned') return EXIT.no;
  return step.state === 'moving' ? EXIT.unknown : EXIT.ok;
}

function wordsOf(step: EpochStep): string {
  switch (step.state) {
    case 'moving':
      return `Keys are being wrapped by the new key: go on with "chartseal keys resume ${step.job}", then run this again.`;
    case 'stuck':
      return `Something stays under the old key, which is therefore kept: see the job ${step.job} in "chartseal keys status".`;
    case 'waiting':
      return `Nothing is left under the old key. It is ended after ${new Date(step.until).toISOString()}: run this again then, or leave it to the scheduled job.`;
    case 'abandoned':
      return 'The tenant was moved back to the key that was to be left, which stays. Run this again to begin anew.';
    case 'ended':
      return `KMS destroys ${step.from} on ${new Date(step.deletedAt).toISOString()}. Backups of its time open nothing any more.`;
  }
}
