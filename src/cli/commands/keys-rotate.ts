import type { Composed } from '../../compose.ts';
import { INDEX_STATE } from '../../crypto/index-keys.ts';
import { parseTenantId, type TenantId } from '../../kernel/ids.ts';
import type { JobSpec } from '../../lifecycle/jobs/job.ts';
import type { KeyJob } from '../../lifecycle/rotation/rotations.ts';
import { type Survey, survey } from '../../lifecycle/rotation/survey.ts';
import { type Command, EXIT, type Invocation, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { beforeOf, finishJobs, JOB_OPTIONS, progress, startOf, surveyText } from '../key-jobs.ts';
import { out } from '../terminal.ts';

const LEVELS = ['kms', 'patients', 'index', 'all'] as const;
type Level = (typeof LEVELS)[number];
/** No generation is called so: everything is wrapped otherwise. */
const NEXT_GENERATION = 'next';

/** New keys at one level or at all of them, while everything is in use. */
export const keysRotate: Command = {
  usage: '[kms|patients|index|all] [--tenant T] [--older-than DAYS] [--dry-run] [--rate N] [--detach]',
  summary: 'new keys: of KMS, of patients, of the search index, or all; under live traffic',
  options: { ...JOB_OPTIONS, 'older-than': { type: 'string' } },
  run: ({ values, positionals: [word = 'all', ...more], json }) => {
    const level = LEVELS.find((one) => one === word);
    if (level === undefined || more.length > 0) throw new UsageError(`Name one level: ${LEVELS.join(', ')}.`);
    return onTenant(values, (composed, tenant) => rotate(composed, tenant, { level, values, json }));
  },
};

/** Every wrapped key under the wrapping key's new generation, or under another key. */
export const keysRewrap: Command = {
  usage: '[--tenant T] [--key KEY] [--dry-run] [--rate N] [--detach]',
  summary: 'wrap every key anew after KMS rotated, or move the tenant to the key --key; no chart is touched',
  options: { ...JOB_OPTIONS, key: { type: 'string' } },
  run: ({ values, positionals, json }) => {
    if (positionals.length > 0) throw new UsageError('This command takes options only.');
    return onTenant(values, async (composed, tenant) => {
      const { rotations } = composed;
      const key = values['key'];
      if (values['dry-run'] === true) {
        const target = await rotations.wrappingTarget(tenant);
        const spec = typeof key === 'string' ? { keyId: key, material: NEXT_GENERATION } : { ...target };
        return dryRun(composed, tenant, { wanted: [['rewrap', spec]], json });
      }
      const start = { ...startOf(values), ...(typeof key === 'string' && { toKey: key }) };
      return finishJobs(composed, tenant, { ids: [await rotations.rewrap(tenant, start)], values, json });
    });
  },
};

/** Charts sealed anew under their patients' current keys, and the old keys destroyed. */
export const keysReencrypt: Command = {
  usage: '[--tenant T] [--older-than DAYS] [--dry-run] [--rate N] [--detach]',
  summary: 'seal anew what is under an old key and destroy that; --older-than first renews keys of that age',
  options: { ...JOB_OPTIONS, 'older-than': { type: 'string' } },
  run: ({ values, positionals, json }) => {
    if (positionals.length > 0) throw new UsageError('This command takes options only.');
    const before = beforeOf(values, 0);
    return onTenant(values, async (composed, tenant) => {
      if (values['dry-run'] === true)
        return dryRun(composed, tenant, { wanted: [['reencrypt', { before }]], json });
      const id = await composed.rotations.reencrypt(tenant, { ...startOf(values), before });
      return finishJobs(composed, tenant, { ids: [id], values, json });
    });
  },
};

async function onTenant(
  values: Invocation['values'],
  work: (composed: Composed, tenant: TenantId) => Promise<number>,
): Promise<number> {
  const tenant = parseTenantId(values['tenant'] ?? 'riverside');
  const { composed } = await composeHere();
  try {
    return await work(composed, tenant);
  } finally {
    await composed.close();
  }
}

async function rotate(
  composed: Composed,
  tenant: TenantId,
  { level, values, json }: { level: Level; values: Invocation['values']; json: boolean },
): Promise<number> {
  const { rotations } = composed;
  const start = startOf(values);
  const before = beforeOf(values, Date.now());
  const is = (one: Level): boolean => level === one || level === 'all';
  if (values['dry-run'] === true)
    return dryRun(composed, tenant, { wanted: await wantedBy(composed, tenant, { is, before }), json });
  const ids: string[] = [];
  if (is('kms')) {
    await rotations.rotateWrappingKey(tenant, start.by);
    ids.push(await rotations.rewrap(tenant, start));
  }
  if (is('patients')) ids.push(await rotations.reencrypt(tenant, { ...start, before }));
  if (is('index')) ids.push(await rotations.reindex(tenant, start));
  return finishJobs(composed, tenant, { ids, values, json });
}

type Wanted = readonly (readonly [KeyJob, JobSpec])[];

async function wantedBy(
  { store, rotations }: Composed,
  tenant: TenantId,
  { is, before }: { is: (level: Level) => boolean; before: number },
): Promise<Wanted> {
  const { keyId } = await rotations.wrappingTarget(tenant);
  const [state] = await store.tenant(tenant).get(INDEX_STATE);
  return [
    ...(is('kms') ? [['rewrap', { keyId, material: NEXT_GENERATION }] as const] : []),
    ...(is('patients') ? [['reencrypt', { before }] as const] : []),
    ...(is('index') ? [['reindex', { version: (state?.write ?? 0) + 1 }] as const] : []),
  ];
}

async function dryRun(
  { store, rotations }: Composed,
  tenant: TenantId,
  { wanted, json }: { wanted: Wanted; json: boolean },
): Promise<number> {
  const { tell, end } = progress();
  const found: (Survey & { kind: KeyJob })[] = [];
  for (const [name, spec] of wanted) {
    const kind = rotations.kindOf(name);
    const onPage = (seen: number): void => tell(() => `${name}: ${seen} looked at`);
    found.push({ kind: name, ...(await survey(store, tenant, { kind, spec, onPage })) });
  }
  end();
  if (json) out(JSON.stringify({ tenant, dryRun: true, jobs: found }));
  else for (const { kind, ...each } of found) out(surveyText(kind, each));
  return EXIT.ok;
}
