import { LEAST_DISTINCT } from './compliance/checks/platform.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Variables that point at an emulator. A production configuration refuses each. */
export const EMULATORS = [
  'FIRESTORE_EMULATOR_HOST',
  'FIREBASE_AUTH_EMULATOR_HOST',
  'FUNCTIONS_EMULATOR',
  'CHARTSEAL_KMS_ENDPOINT',
  'CLOUD_TASKS_EMULATOR_HOST',
] as const;

/** Something that a production configuration never is. */
export interface ProductionRule {
  /** Stable, for programs. */
  readonly id: string;
  /** What should be so. */
  readonly title: string;
  /** What is wrong and what to change, never a value; null when it holds. */
  broken(env: Env): string | null;
}

const rule = (id: string, title: string, broken: ProductionRule['broken']): ProductionRule => ({
  id,
  title,
  broken,
});
const when = (isBroken: boolean, says: string): string | null => (isBroken ? says : null);
const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';

/** Each is looked at alone: the server refuses to start at the first that is broken, `chartseal doctor` shows all. */
export const PRODUCTION_RULES: readonly ProductionRule[] = [
  rule('no-emulators', 'no variable points at an emulator', (env) => {
    const set = EMULATORS.filter((name) => isSet(env[name]));
    return when(set.length > 0, `Unset ${set.join(', ')}: production never talks to an emulator.`);
  }),
  rule('no-kms-emulator', 'keys are not in an emulator', (env) =>
    when(env['CHARTSEAL_KMS'] === 'emulator', 'CHARTSEAL_KMS=emulator is for development. Use aws.'),
  ),
  rule('https-origin', 'the issuer is https', (env) =>
    when(
      !(env['CHARTSEAL_ORIGIN'] ?? '').startsWith('https://'),
      'CHARTSEAL_ORIGIN must be https in production.',
    ),
  ),
  rule('checkpoints-outside', 'checkpoints go to another administrator', (env) =>
    when(
      env['CHARTSEAL_CHECKPOINTS']?.startsWith('/') === true,
      'CHARTSEAL_CHECKPOINTS is gs://BUCKET in production: storage of another administrator.',
    ),
  ),
  rule('documents-bucket', 'documents are in a bucket', (env) =>
    when(
      env['CHARTSEAL_DOCUMENTS']?.startsWith('/') === true,
      'CHARTSEAL_DOCUMENTS is gs://BUCKET in production: a function’s own disk does not last.',
    ),
  ),
  rule('journal', 'the journal is kept, by another administrator', (env) => {
    const { CHARTSEAL_JOURNAL: journal, GCLOUD_PROJECT: project } = env;
    if (!isSet(journal))
      return 'CHARTSEAL_JOURNAL names the log bucket that keeps the journal: projects/P/locations/L/buckets/B.';
    return when(
      journal?.startsWith(`projects/${project}/`) === true,
      'CHARTSEAL_JOURNAL is in this project. It belongs to another administrator.',
    );
  }),
  rule('no-default-secrets', 'no secret is a default one, or one that somebody typed', (env) => {
    const secrets = (env['CHARTSEAL_COOKIE_KEYS'] ?? '').split(',');
    if (secrets.some((secret) => /development|example|changeme/i.test(secret)))
      return 'CHARTSEAL_COOKIE_KEYS still holds a default.';
    return when(
      secrets.some((secret) => new Set(secret.trim()).size < LEAST_DISTINCT),
      'CHARTSEAL_COOKIE_KEYS repeats its characters. Make random ones.',
    );
  }),
  rule('no-weak-keys', 'no local key is one that somebody typed', (env) =>
    when(
      env['CHARTSEAL_KMS'] === 'local' &&
        (env['CHARTSEAL_LOCAL_KEYS'] ?? '').split(',').some((entry) => isWeakKey(entry.split(':')[1] ?? '')),
      'CHARTSEAL_LOCAL_KEYS repeats its bytes. Run "chartseal keys generate".',
    ),
  ),
  rule('exact-redirects', 'no redirect has a wildcard', (env) =>
    when(
      /\*/.test(`${env['CHARTSEAL_REDIRECT_URIS'] ?? ''}${env['CHARTSEAL_CLIENTS'] ?? ''}`),
      'CHARTSEAL_REDIRECT_URIS and CHARTSEAL_CLIENTS hold a wildcard. Write each redirect out.',
    ),
  ),
];

/** 32 random bytes have some 30 different ones. */
export const isWeakKey = (hex: string): boolean => new Set(hex.match(/../g)).size <= 16;
