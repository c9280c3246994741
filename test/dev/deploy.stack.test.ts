import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEPLOY_CHECKS } from '../../src/dev/deploy/checks.ts';
import { dryRun } from '../../src/dev/deploy/dry-run.ts';
import { run } from '../cli/run.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROJECT = 'riverside-clinic';
const SAFE = {
  CHARTSEAL_ORIGIN: 'https://chart.riverside.example',
  CHARTSEAL_FIREBASE_API_KEY: 'public-key',
  CHARTSEAL_AWS_ROLE: 'arn:aws:iam::111122223333:role/chartseal-app',
  CHARTSEAL_CHECKPOINTS: 'gs://riverside-checkpoints',
  CHARTSEAL_DOCUMENTS: 'gs://riverside-documents',
  CHARTSEAL_JOURNAL: 'projects/auditors/locations/us/buckets/chartseal-journal',
};

describe('the dry run of a deployment', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'chartseal-deploy-'));
    for (const name of ['firestore.rules', 'firestore.indexes.json', 'firebase.json', 'infra', 'functions'])
      await cp(join(ROOT, name), join(root, name), {
        recursive: true,
        filter: (path) => !path.includes('node_modules'),
      });
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
  const environment = (values: Readonly<Record<string, string>>) =>
    writeFile(
      join(root, `functions/.env.${PROJECT}`),
      Object.entries(values)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
  /** What fails, by its id. */
  const failures = async (): Promise<Record<string, string>> => {
    const quick = DEPLOY_CHECKS.filter(({ id }) => id !== 'bundle' && id !== 'aws-templates');
    const { findings } = await dryRun(root, PROJECT, quick);
    return Object.fromEntries(
      findings.filter(({ outcome }) => outcome === 'fail').map(({ id, reason }) => [id, reason]),
    );
  };

  test('of a sound one finds nothing, and builds and loads the bundle', async () => {
    await environment(SAFE);
    await cp(join(ROOT, 'functions/lib'), join(root, 'functions/lib'), { recursive: true }).catch(
      () => undefined,
    );
    const { findings } = await dryRun(root, PROJECT);
    const bundle = findings.find(({ id }) => id === 'bundle');
    expect(bundle).toMatchObject({ outcome: 'pass', reason: expect.stringMatching(/MiB, \d+ functions/) });
    expect(findings.filter(({ outcome }) => outcome === 'fail')).toEqual([]);
  }, 120_000);

  test.each([
    [
      'an emulator in the environment',
      { FIREBASE_AUTH_EMULATOR_HOST: '127.0.0.1:9099' },
      'configuration',
      'never talks to an emulator',
    ],
    [
      'an http origin',
      { CHARTSEAL_ORIGIN: 'http://chart.riverside.example' },
      'configuration',
      'must be https',
    ],
    [
      'development',
      { CHARTSEAL_ENV: 'development', CHARTSEAL_ORIGIN: 'http://127.0.0.1:8787' },
      'configuration',
      'development',
    ],
    [
      'a journal in the same project',
      { CHARTSEAL_JOURNAL: `projects/${PROJECT}/locations/us/buckets/journal` },
      'configuration',
      'another administrator',
    ],
    [
      'local keys',
      { CHARTSEAL_KMS: 'local', CHARTSEAL_LOCAL_KEYS: `1:${'a'.repeat(64)}:active` },
      'kms-identity',
      'local',
    ],
    ['a static AWS key', { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE' }, 'kms-identity', 'static'],
    [
      'checkpoints beside the server',
      { CHARTSEAL_CHECKPOINTS: '/var/checkpoints' },
      'checkpoints',
      'nothing is proven',
    ],
    ['documents on a disk', { CHARTSEAL_DOCUMENTS: '/var/documents' }, 'documents', 'nowhere'],
    [
      'a secret in the file',
      { CHARTSEAL_COOKIE_KEYS: 'a-real-looking-secret-of-32-characters!' },
      'no-secrets-in-files',
      'CHARTSEAL_COOKIE_KEYS',
    ],
  ])(
    '%s is refused',
    async (_name, change, id, reason) => {
      await environment({ ...SAFE, ...change });
      expect((await failures())[id]).toContain(reason);
    },
    60_000,
  );

  test.each([
    ['firestore.rules', 'if false', 'if true', 'rules'],
    ['firestore.indexes.json', '"cardKeys"', '"otherKeys"', 'indexes'],
    ['firebase.json', '"/.well-known/**"', '"/well-known/**"', 'hosting'],
    ['firebase.json', '"/documents{,/**}"', '"/files/**"', 'hosting'],
    ['firebase.json', '"us-central1"', '"europe-west1"', 'hosting'],
    ['infra/google/deployment.md', 'ALLOW_INTERNAL_ONLY', 'ALLOW_ALL', 'google-side'],
  ])(
    '%s that was changed is refused',
    async (file, from, to, id) => {
      await environment(SAFE);
      const text = await readFile(join(root, file), 'utf8');
      await writeFile(join(root, file), text.replace(from, to));
      expect(Object.keys(await failures())).toContain(id);
      await writeFile(join(root, file), text);
    },
    60_000,
  );

  test('the command lists what is left as commands, names no secret, and deploys nothing without --dry-run', async () => {
    const { code, out } = await run(root, ['deploy', '--dry-run', '--project', PROJECT]);
    expect(code).toBe(1);
    expect(out).toContain('✗ the production configuration is whole and safe');
    expect(out).toContain(`gcloud iam service-accounts create chartseal-signing --project=${PROJECT}`);
    expect(out).toContain('--collection-group=idempotency --enable-ttl');
    expect((await run(root, ['deploy'])).code).toBe(2);
    expect((await run(root, ['deploy', '--dry-run', '--project', 'Not A Project'])).code).toBe(2);
  }, 60_000);
});
