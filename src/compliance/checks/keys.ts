import type { KeyStatus } from '../../lifecycle/rotation/survey.ts';
import { type Check, cannotTell, count, judge } from '../check.ts';
import type { Facts } from '../facts.ts';
import { foundJson } from '../scan/places.ts';

const DAY_MS = 86_400_000;
const days = (ms: number): number => Math.floor(ms / DAY_MS);
const UNSEEN = 'The keys could not be looked at. Run the report with a role that may describe them in KMS.';

/** What is known of a wrapping key, whoever’s it is; null where it may not be looked at. */
export interface WrappingKey {
  readonly keys: { readonly wrappingKey: Pick<KeyStatus['wrappingKey'], 'facts' | 'problem'> } | null;
}

/** Judges the age of the oldest key of a kind. */
export const ageOf = <K>(
  check: Pick<Check, 'id' | 'title' | 'remedy'>,
  oldest: (keys: K) => number | null,
): Check<{ keys: K | null; at: number; config: Pick<Facts['config'], 'keyMaxAgeMs'> }> => ({
  ...check,
  method: 'TEST',
  run: ({ keys, at, config: { keyMaxAgeMs } }) => {
    const made = keys === null ? null : oldest(keys);
    if (made === null) return cannotTell('There is no such key yet.');
    const evidence = { ageDays: days(at - made), mostDays: days(keyMaxAgeMs) };
    return judge(at - made <= keyMaxAgeMs, {
      yes: `The oldest is ${count(evidence.ageDays, 'day')} old; ${count(evidence.mostDays, 'day')} are allowed here.`,
      no: `The oldest is ${count(evidence.ageDays, 'day')} old, over the ${evidence.mostDays} that are allowed here.`,
      evidence,
    });
  },
});

/** What holds of a wrapping key in any key management service. */
export const WRAPPING_KEY: readonly Check<WrappingKey>[] = [
  {
    id: 'key-works',
    title: 'The tenant’s wrapping key works and is enabled',
    method: 'TEST',
    remedy: 'Enable the key in KMS, or cancel its deletion: until then this tenant is shut.',
    run: ({ keys }) => {
      if (keys === null) return cannotTell(UNSEEN);
      const { problem, facts } = keys.wrappingKey;
      return judge(problem === null && (facts === null || facts.state === 'Enabled'), {
        yes: 'The key answered just now.',
        no: `The key does not work (${problem ?? facts?.state ?? ''}).`,
        evidence: { problem, state: facts?.state ?? null },
      });
    },
  },
  {
    id: 'key-rotation',
    title: 'The wrapping key rotates by itself, at least once a year',
    method: 'TEST',
    remedy:
      'Enable automatic rotation in KMS. No law names the year; it is the practice that auditors expect.',
    run: ({ keys }) => {
      const facts = keys?.wrappingKey.facts ?? null;
      if (facts === null) return cannotTell(UNSEEN);
      const period = facts.rotation?.periodDays ?? null;
      return judge(period !== null && period <= 366, {
        yes: `KMS rotates it every ${period} days.`,
        no: period === null ? 'Automatic rotation is off.' : `KMS rotates it every ${period} days only.`,
        evidence: { periodDays: period, nextAt: facts.rotation?.nextAt ?? null },
      });
    },
  },
];

/** Keys: where they are, how old, and whether they turn. */
export const KEYS: readonly Check[] = [
  {
    id: 'key-custody',
    title: 'Wrapping keys are in a key management service, apart from the data',
    method: 'EXAMINE',
    remedy: 'Set CHARTSEAL_KMS=aws, and move the tenant’s key: chartseal keys rewrap --key ARN.',
    run: ({ config: { kms } }) =>
      judge(kms === 'aws', {
        yes: 'Wrapping keys are in AWS KMS and never leave it.',
        no:
          kms === 'local'
            ? 'Wrapping keys are in the server’s environment.'
            : 'Wrapping keys are in an emulator.',
        evidence: { kms },
      }),
  },
  ...WRAPPING_KEY,
  {
    id: 'key-generation',
    title: 'Data keys are wrapped by the newest generation of the wrapping key',
    method: 'TEST',
    remedy: 'Run chartseal keys rewrap.',
    run: ({ keys }) =>
      keys === null || keys.wrappingKey.isCurrent === null
        ? cannotTell(UNSEEN)
        : judge(keys.wrappingKey.isCurrent, {
            yes: 'The tenant’s root is under the generation in use.',
            no: 'The tenant’s root is under an older generation, or under another key.',
            evidence: { isCurrent: keys.wrappingKey.isCurrent },
          }),
  },
  {
    id: 'key-policy',
    title: 'The key’s own policy denies every use under another tenant’s context',
    method: 'TEST',
    remedy: 'Put the key policy of infra/aws/tenant.yaml on the key.',
    run: ({ keyPolicy }) =>
      keyPolicy === null
        ? cannotTell(
            'The key policy could not be read. Look at it in KMS: it denies other tenants’ contexts.',
          )
        : judge(keyPolicy.deniesOthers, {
            yes: 'KMS denies use under another tenant’s context to everybody.',
            no: 'The key policy lets the key be used under other contexts.',
            evidence: { deniesOthers: keyPolicy.deniesOthers },
          }),
  },
  {
    id: 'key-policy-principals',
    title: 'The key’s own policy allows nothing to everybody',
    method: 'TEST',
    remedy: 'Put the key policy of infra/aws/tenant.yaml on the key.',
    run: ({ keyPolicy }) =>
      keyPolicy === null
        ? cannotTell('The key policy could not be read. Look at it in KMS: no Allow names *.')
        : judge(keyPolicy.forEverybody.length === 0, {
            yes: 'No statement of the key policy allows anything to everybody.',
            no: `Allowed to everybody: ${keyPolicy.forEverybody.join(', ')}.`,
            evidence: { statements: [...keyPolicy.forEverybody] },
          }),
  },
  {
    id: 'key-deletion',
    title: 'Only the account’s administrators can end the key',
    method: 'TEST',
    remedy: 'Take ScheduleKeyDeletion, DisableKey and PutKeyPolicy from the named statements.',
    run: ({ keyPolicy }) =>
      keyPolicy === null
        ? cannotTell('The key policy could not be read. Look in KMS who may schedule its deletion.')
        : judge(keyPolicy.deleters.length === 0, {
            yes: 'The key policy names nobody beside the account itself who may delete, disable or reopen it.',
            no: `Others may end the key: ${keyPolicy.deleters.join(', ')}.`,
            evidence: { statements: [...keyPolicy.deleters] },
          }),
  },
  ageOf(
    {
      id: 'patient-key-age',
      title: 'No patient’s key is over its greatest age',
      remedy: 'Run chartseal keys rotate patients.',
    },
    ({ patients }: KeyStatus) => patients.oldest,
  ),
  ageOf(
    {
      id: 'index-key-age',
      title: 'The search index key is not over its greatest age',
      remedy: 'Run chartseal keys rotate index.',
    },
    ({ index }: KeyStatus) => index?.createdAt ?? null,
  ),
  {
    id: 'rotation-finished',
    title: 'Rotations end with nothing left',
    method: 'TEST',
    remedy: 'See chartseal keys status for what was set aside, mend it, and start that job again.',
    run: ({ keys }) => {
      if (keys === null) return cannotTell(UNSEEN);
      const bad = keys.jobs.filter(({ state }) => state === 'incomplete');
      return judge(bad.length === 0, {
        yes: `${count(keys.jobs.length, 'job')} known, none ended with something left.`,
        no: `${count(bad.length, 'job')} ended with something left.`,
        evidence: {
          jobs: keys.jobs.map(({ id, kind, state, left, aside }) => ({ id, kind, state, left, aside })),
        },
      });
    },
  },
  {
    id: 'values-current',
    title: 'No value is sealed under a key version that was left behind',
    method: 'TEST',
    remedy: 'Run chartseal keys rotate patients.',
    run: ({ rows: { sealed }, keys }) => {
      const running = keys?.jobs.some(({ state }) => state === 'running') ?? false;
      if (running && sealed.stale.count > 0)
        return cannotTell(
          'A rotation is under way. Run the report again when it is done.',
          foundJson(sealed.stale),
        );
      return judge(sealed.stale.count === 0, {
        yes: `${count(sealed.values, 'value')} looked at: none is under an old version.`,
        no: `${count(sealed.stale.count, 'value')} are under a version that was left behind or never was.`,
        evidence: foundJson(sealed.stale),
      });
    },
  },
  {
    id: 'local-key-strength',
    title: 'No key is one that a person typed or left as it came',
    method: 'EXAMINE',
    remedy: 'Make keys with chartseal keys generate, and rewrap.',
    run: ({ config: { weakLocalKeys } }) =>
      judge(weakLocalKeys.length === 0, {
        yes: 'No local key of low entropy is configured.',
        no: `The local keys of version ${weakLocalKeys.join(', ')} repeat their bytes.`,
        evidence: { versions: [...weakLocalKeys] },
      }),
  },
];
