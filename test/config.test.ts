import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';

const KEY = JSON.stringify([{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd', kid: 'k' }]);
const production = {
  CHARTSEAL_ORIGIN: 'https://clinic.test',
  CHARTSEAL_SIGNING_KEYS: KEY,
  CHARTSEAL_DOCUMENTS: 'gs://clinic-documents',
  CHARTSEAL_COOKIE_KEYS: 'kX9vQ2mT7wLr4ZpB8sNcY1hJ6dGfE3aU',
  CHARTSEAL_FIREBASE_API_KEY: 'web-key',
  GCLOUD_PROJECT: 'clinic',
  CHARTSEAL_JOURNAL: 'projects/auditors/locations/us/buckets/chartseal-journal',
};
const refusal = (env: Record<string, string | undefined>): string => {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG' });
    return (error as Error).message;
  }
  throw new Error('It was accepted.');
};

describe('the configuration', () => {
  test('is for production unless it says otherwise', () => {
    expect(readConfig(production)).toMatchObject({
      development: false,
      store: { kind: 'firestore' },
      kms: { kind: 'aws', region: 'us-east-1', identity: null },
      firebase: { authEmulatorUrl: null },
    });
  });

  test.each([
    ['FIRESTORE_EMULATOR_HOST', '127.0.0.1:8080'],
    ['FIREBASE_AUTH_EMULATOR_HOST', '127.0.0.1:9099'],
    ['FUNCTIONS_EMULATOR', 'true'],
    ['CHARTSEAL_KMS_ENDPOINT', 'http://127.0.0.1:4599'],
    ['CLOUD_TASKS_EMULATOR_HOST', '127.0.0.1:9499'],
  ])('production refuses %s', (name, value) => {
    expect(refusal({ ...production, [name]: value })).toContain(name);
  });

  test.each([
    ['an http origin', { CHARTSEAL_ORIGIN: 'http://clinic.test' }],
    ['an origin with a path', { CHARTSEAL_ORIGIN: 'https://clinic.test/app' }],
    ['an origin with a slash', { CHARTSEAL_ORIGIN: 'https://clinic.test/' }],
    ['the KMS emulator', { CHARTSEAL_KMS: 'emulator' }],
    ['a default secret', { CHARTSEAL_COOKIE_KEYS: 'changeme-changeme-changeme-changeme' }],
    ['a secret that repeats itself', { CHARTSEAL_COOKIE_KEYS: 'k'.repeat(40) }],
    [
      'a local key that repeats itself',
      { CHARTSEAL_KMS: 'local', CHARTSEAL_LOCAL_KEYS: `1:${'ab'.repeat(32)}` },
    ],
    ['a wildcard redirect', { CHARTSEAL_REDIRECT_URIS: 'https://*.clinic.test/cb' }],
    ['an http redirect', { CHARTSEAL_REDIRECT_URIS: 'http://clinic.test/cb' }],
    ['an http issuer', { CHARTSEAL_ISSUER: 'http://issuer.test' }],
    ['somebody without a second factor', { CHARTSEAL_WITHOUT_SECOND_FACTOR: 'uid' }],
    ['a short secret', { CHARTSEAL_COOKIE_KEYS: 'short' }],
    ['no signing key', { CHARTSEAL_SIGNING_KEYS: '[]' }],
    ['a public signing key', { CHARTSEAL_SIGNING_KEYS: '[{"kty":"EC","crv":"P-256"}]' }],
    ['signing keys that are not JSON', { CHARTSEAL_SIGNING_KEYS: 'hunter2' }],
    ['PostgreSQL without an address', { CHARTSEAL_STORE: 'postgres' }],
    ['local keys of another form', { CHARTSEAL_KMS: 'local', CHARTSEAL_LOCAL_KEYS: '1:abcd' }],
    ['no place for documents', { CHARTSEAL_DOCUMENTS: undefined }],
    ['documents on the function’s own disk', { CHARTSEAL_DOCUMENTS: '/var/documents' }],
    ['documents in a bucket of another form', { CHARTSEAL_DOCUMENTS: 's3://documents' }],
    ['no journal', { CHARTSEAL_JOURNAL: undefined }],
    ['a journal that is no log bucket', { CHARTSEAL_JOURNAL: '/var/log/journal' }],
    ['a journal in the same project', { CHARTSEAL_JOURNAL: 'projects/clinic/locations/us/buckets/j' }],
    ['checkpoints beside the server', { CHARTSEAL_CHECKPOINTS: '/var/checkpoints' }],
    ['no project', { GCLOUD_PROJECT: undefined }],
    ['an unknown store', { CHARTSEAL_STORE: 'mongodb' }],
    ['development on a public origin', { CHARTSEAL_ENV: 'development' }],
  ])('%s is refused, and no value is repeated', (_name, change) => {
    expect(refusal({ ...production, ...change })).not.toMatch(/hunter2|short\b.*short|abcd/);
  });

  test('an AWS role is assumed by the function’s own Google identity, with no stored secret', () => {
    const roleArn = 'arn:aws:iam::123456789012:role/chartseal-app';
    expect(readConfig({ ...production, CHARTSEAL_AWS_ROLE: roleArn }).kms).toEqual({
      kind: 'aws',
      region: 'us-east-1',
      identity: { roleArn, rewrapRoleArn: null, epochRoleArn: null, audience: 'chartseal' },
    });
    const epochRoleArn = 'arn:aws:iam::123456789012:role/chartseal-epoch';
    const withEpochs = { ...production, CHARTSEAL_AWS_ROLE: roleArn, CHARTSEAL_AWS_EPOCH_ROLE: epochRoleArn };
    expect(readConfig(withEpochs).kms).toMatchObject({ identity: { epochRoleArn } });
    expect(refusal({ ...production, CHARTSEAL_AWS_ROLE: 'chartseal-app' })).toContain('CHARTSEAL_AWS_ROLE');
  });

  test('local keys carry version and status', () => {
    const hex = Buffer.from(Array.from({ length: 32 }, (_, at) => at * 7)).toString('hex');
    const config = readConfig({
      ...production,
      CHARTSEAL_KMS: 'local',
      CHARTSEAL_LOCAL_KEYS: `1:${hex}:deprecated, 2:${hex}`,
    });
    expect(config.kms).toEqual({
      kind: 'local',
      keys: [
        { version: 1, hex, status: 'deprecated' },
        { version: 2, hex, status: 'active' },
      ],
    });
  });
});
