import { describe, expect, test } from 'vitest';
import { examineConfiguration } from '../../../src/dev/doctor/configuration.ts';
import { PRODUCTION_RULES } from '../../../src/production.ts';

const SAFE = {
  CHARTSEAL_ORIGIN: 'https://chart.riverside.example',
  CHARTSEAL_FIREBASE_API_KEY: 'public-key',
  CHARTSEAL_CHECKPOINTS: 'gs://riverside-checkpoints',
  CHARTSEAL_JOURNAL: 'projects/auditors/locations/us/buckets/journal',
  CHARTSEAL_SIGNING_KEYS: JSON.stringify([{ kty: 'EC', crv: 'P-256', kid: 'a', x: 'x', y: 'y', d: 'd' }]),
  CHARTSEAL_COOKIE_KEYS: 'kX9vQ2mT7wLr4ZpB8sNcY1hJ6dGfE3aU',
  CHARTSEAL_DOCUMENTS: 'gs://riverside-documents',
  GCLOUD_PROJECT: 'riverside',
};
const failures = (change: Readonly<Record<string, string>>) =>
  examineConfiguration({ ...SAFE, ...change }).filter(({ outcome }) => outcome === 'fail');

/** What breaks each rule of production. */
const BROKEN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no-emulators': { FIRESTORE_EMULATOR_HOST: '127.0.0.1:8080' },
  'no-kms-emulator': { CHARTSEAL_KMS: 'emulator' },
  'https-origin': { CHARTSEAL_ORIGIN: 'http://chart.riverside.example' },
  'checkpoints-outside': { CHARTSEAL_CHECKPOINTS: '/var/planted' },
  'documents-bucket': { CHARTSEAL_DOCUMENTS: '/var/planted' },
  journal: { CHARTSEAL_JOURNAL: '' },
  'no-default-secrets': { CHARTSEAL_COOKIE_KEYS: 'changeme-PLANTED-changeme-changeme-changeme' },
  'no-weak-keys': { CHARTSEAL_KMS: 'local', CHARTSEAL_LOCAL_KEYS: `1:${'ab'.repeat(32)}` },
  'exact-redirects': { CHARTSEAL_REDIRECT_URIS: 'https://*.planted.example/cb' },
};

describe('doctor on a configuration', () => {
  test('finds nothing in a sound one', () => {
    expect(failures({})).toEqual([]);
  });

  test.each(PRODUCTION_RULES)('shows $id, and that the server would refuse to start', ({ id }) => {
    const found = failures(BROKEN[id] ?? {});
    expect(found.map((one) => one.id)).toEqual([id, 'configuration']);
    expect(JSON.stringify(found)).not.toMatch(/planted|127\.0\.0\.1/i);
  });

  test('shows each of several at once', () => {
    const found = failures(
      Object.assign({}, ...['no-emulators', 'journal', 'exact-redirects'].map((id) => BROKEN[id])),
    );
    expect(found.map((one) => one.id)).toEqual([
      'no-emulators',
      'journal',
      'exact-redirects',
      'configuration',
    ]);
  });

  test('shows what no rule names: an exemption, an http issuer', () => {
    expect(failures({ CHARTSEAL_WITHOUT_SECOND_FACTOR: 'uid' }).map((one) => one.id)).toEqual([
      'configuration',
    ]);
    expect(failures({ CHARTSEAL_ISSUER: 'http://issuer.example' }).map((one) => one.id)).toEqual([
      'configuration',
    ]);
  });
});
