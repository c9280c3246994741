import { describe, expect, test } from 'vitest';
import { policyFacts } from '../../src/cli/policy-facts.ts';
import type { PolicyFacts } from '../../src/compliance/policies/facts.ts';
import { LAW } from '../../src/compliance/policies/law.ts';
import { policiesOf, policyPage } from '../../src/compliance/policies/policies.ts';
import { duration } from '../../src/compliance/policies/words.ts';

const ENV = {
  CHARTSEAL_ORIGIN: 'https://chart.riverside.example',
  CHARTSEAL_FIREBASE_API_KEY: 'public-key',
  CHARTSEAL_AWS_ROLE: 'arn:aws:iam::111122223333:role/chartseal-app',
  CHARTSEAL_CHECKPOINTS: 'gs://riverside-checkpoints',
  CHARTSEAL_JOURNAL: 'projects/auditors/locations/us/buckets/chartseal-journal',
  CHARTSEAL_SIGNING_KEYS: JSON.stringify([{ kty: 'EC', crv: 'P-256', kid: 'a', x: 'x', y: 'y', d: 'd' }]),
  CHARTSEAL_COOKIE_KEYS: 'kX9vQ2mT7wLr4ZpB8sNcY1hJ6dGfE3aU',
  CHARTSEAL_DOCUMENTS: 'gs://riverside-documents',
  GCLOUD_PROJECT: 'riverside',
};
const pagesOf = (facts: PolicyFacts): string =>
  policiesOf(facts)
    .map((policy) => policyPage(policy, facts))
    .join('\n');
const written = async (change: Readonly<Record<string, string>> = {}): Promise<string> =>
  pagesOf(await policyFacts({ ...ENV, ...change }));

/** Facts of which each number and each word is its own, so that it can be found in a page again. */
const MARKED: PolicyFacts = {
  config: {
    ...{
      version: 'v-mark',
      digest: 'digest-mark',
      origin: 'https://origin.mark',
      store: 'firestore',
      kms: 'aws',
    },
    ...{ checkpoints: 'bucket', witnesses: 7001, withoutSecondFactor: 7003, staffRoles: ['staff-mark'] },
    ...{ recordMs: 7_013_000, backupMs: 7_019_000, keyMaxAgeMs: 7_027_000 },
  },
  hosting: {
    ...{ functionsRegion: 'functions-mark', firestoreLocation: 'store-mark', kmsRegion: 'kms-mark' },
    documents: 'bucket',
    secrets: ['SECRET_MARK'],
  },
  encryption: {
    ...{ cipher: 'cipher-mark', keyBits: 7039, tagBits: 7043, indexBits: [7057], tlsFloor: 'floor-mark' },
    ...{ compartments: ['part-mark'], columns: { kindmark: 7069 } },
  },
  keys: { cache: { maxAgeMs: 7_079_000, maxUses: 7103, maxEntries: 7109 }, wrappingKeyDays: 7121 },
  access: {
    ...{ roles: ['role-mark'], purposes: ['purpose-mark'], consents: ['consent-mark'] },
    ...{ tools: [{ role: 'by-mark', tools: ['tool-mark'] }], matrixSha256: 'matrix-mark' },
    charts: { person: { slowAfter: 7127, stopAfter: 7129 }, client: { slowAfter: 7151, stopAfter: 7159 } },
    emergency: { minutes: [7177], reviewMs: 7_187_000 },
    lifetimes: {
      ...{ accessToken: 7193, grant: 7207, idleGrant: 7211, signIn: 7213 },
      ...{ pageMs: 7_219_000, consoleIdleMs: 7_229_000, consoleMs: 7_237_000 },
    },
  },
  retention: {
    ...{ auditYears: 7243, auditFloorYears: 7247, answerKeptMs: 7_253_000, unusedClientS: 7283 },
    expiring: ['expiring-mark'],
  },
  requests: {
    ...{ kinds: ['kind-mark'], answerMs: 7_297_000, confirmMs: 7_307_000, readyMs: 7_309_000 },
    coolingMs: 7_321_000,
  },
  processors: {
    ...{
      assistants: ['assistant.mark'],
      identityProviders: ['idp-mark'],
      externalIssuer: 'https://issuer.mark',
    },
    witnesses: ['https://witness.mark'],
  },
  alarms: [{ name: 'alarm-mark', from: 'from-mark', means: 'means-mark' }],
};
const OTHERWISE: Readonly<Record<string, string>> = { firestore: 'postgres', aws: 'local', bucket: 'folder' };

/** Every leaf of the facts with a copy in which it alone is another. */
function* changes(value: unknown, path = ''): Generator<[string, unknown]> {
  if (typeof value === 'number') yield [path, value + 1_000];
  else if (typeof value === 'string') yield [path, OTHERWISE[value] ?? `${value}-else`];
  else
    for (const [key, part] of Object.entries(value as object))
      for (const [at, changed] of changes(part, `${path}.${key}`))
        yield [
          at,
          Array.isArray(value) ? value.with(Number(key), changed) : { ...(value as object), [key]: changed },
        ];
}

describe('the policies', () => {
  test('each fact is in a page: whichever is another, the text is another', () => {
    const before = pagesOf(MARKED);
    const dead = [...changes(MARKED)].filter(([, facts]) => pagesOf(facts as PolicyFacts) === before);
    expect([...changes(MARKED)].length).toBeGreaterThan(50);
    expect(dead.map(([path]) => path)).toEqual([]);
  });

  test('no number is typed by hand: with every figure another, no figure stays but the law’s', () => {
    const shifted = [...changes(MARKED)].reduce(
      (facts, [path]) => shift(facts, path.split('.').slice(1)),
      MARKED,
    );
    const figures = (facts: PolicyFacts): string[] =>
      Object.values(LAW)
        .reduce((text, cited) => text.replaceAll(cited, ''), pagesOf(facts))
        .match(/\d+/g) ?? [];
    const [before, after] = [figures(MARKED), figures(shifted)];
    expect(before.length).toBeGreaterThan(40);
    expect(after).toHaveLength(before.length);
    expect(before.filter((figure, at) => figure === after[at])).toEqual([]);
    expect(pagesOf(MARKED)).not.toMatch(
      /\b(?:two|three|four|five|six|seven|eight|ten|twelve|fifteen|thirty|sixty|ninety|hundred) (?:second|minute|hour|day|week|month|year)s?\b/i,
    );
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['years of records', { CHARTSEAL_RETENTION_YEARS: '9' }, 'at least 9 years after the last treatment'],
    ['days of backups', { CHARTSEAL_BACKUP_DAYS: '41' }, 'at most 41 days'],
    ['age of keys', { CHARTSEAL_KEY_MAX_AGE_DAYS: '180' }, 'before it is 180 days old'],
    [
      'charts an hour',
      { CHARTSEAL_PERSON_CHARTS: '33,66' },
      'opens 33 different charts is slowed and at 66 stopped',
    ],
    ['region of KMS', { AWS_REGION: 'eu-central-1' }, 'AWS KMS, region eu-central-1'],
    [
      'the store',
      { CHARTSEAL_STORE: 'postgres', CHARTSEAL_DATABASE_URL: 'postgres://db.example/x' },
      'PostgreSQL must be reached',
    ],
    [
      'local keys',
      {
        CHARTSEAL_KMS: 'local',
        CHARTSEAL_LOCAL_KEYS: `1:${Buffer.from(Array.from({ length: 32 }, (_, at) => at * 7)).toString('hex')}`,
      },
      'in the server’s environment',
    ],
    ['the origin', { CHARTSEAL_ORIGIN: 'https://else.example' }, 'https://else.example/privacy'],
  ])('a setting that is another makes another text: %s', async (_name, change, text) => {
    expect(await written()).not.toContain(text);
    expect(await written(change)).toContain(text);
  });

  test('say what runs, mark what only the organisation knows, and claim nothing', async () => {
    const pages = await written();
    expect(pages).toContain('stays in memory for at most 5 minutes or 10000 uses');
    expect(pages).toContain('An access token lasts 10 minutes');
    expect(pages).toContain('AES-256-GCM');
    expect(pages).toContain('| auditor | whoAmI');
    expect(pages.match(/\[fill in: /g)?.length).toBeGreaterThan(30);
    expect(pages).not.toMatch(/complian(?:t|ce)(?! (?:policies|report))|certified|guarantee/i);
    expect(pages).not.toMatch(/undefined|NaN|\[object/);
    expect(pages).not.toContain(ENV.CHARTSEAL_COOKIE_KEYS);
  });

  test('durations are whole, in the largest unit that fits', () => {
    const ms = [0, 500, 30_000, 300_000, 86_400_000, 36 * 3_600_000, 7 * 365.25 * 86_400_000];
    expect(ms.map(duration)).toEqual([
      '0 ms',
      '500 ms',
      '30 seconds',
      '5 minutes',
      '1 day',
      '36 hours',
      '7 years',
    ]);
  });
});

/** The facts with a number at a path made another; words stay. */
function shift<T>(value: T, path: readonly string[]): T {
  const [key, ...rest] = path;
  if (key === undefined) return (typeof value === 'number' ? value + 1_000 : value) as T;
  const part = (value as Record<string, unknown>)[key];
  if (Array.isArray(value)) return value.with(Number(key), shift(part, rest)) as T;
  return { ...value, [key]: shift(part, rest) };
}
