import { spawnSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { loadPolicyEngine, POLICY_NAMES } from '../../access/policy-engine.ts';
import { COLLECTIONS, SELF_EXPIRING } from '../../collections.ts';
import { readConfig } from '../../config.ts';
import { ALARMS, FUNCTIONS, HOSTING, SECRETS } from '../../hosting.ts';
import { ChartsealError } from '../../kernel/errors.ts';
import { buildFunctions } from '../build-functions.ts';
import { fail, type Judgement, notChecked, pass } from '../doctor/check.ts';
import type { DeployCheck, Deployment } from './check.ts';
import { deploymentPage } from './page.ts';

/** The whole bundle; Cloud Functions takes 100 MB, and a cold start feels each one. */
const MAX_BUNDLE = 16 * 1_048_576;
const LINT_MS = 60_000;
const jsonOf = async (...path: string[]): Promise<unknown> =>
  JSON.parse(await readFile(join(...path), 'utf8'));

/** Everything about a deployment that can be seen without an account. */
export const DEPLOY_CHECKS: readonly DeployCheck[] = [
  {
    id: 'configuration',
    title: 'the production configuration is whole and safe',
    cure: 'Correct functions/.env.PROJECT.',
    judge: async ({ env }) => {
      try {
        const config = readConfig(env);
        if (config.development) return fail('CHARTSEAL_ENV is development');
        return pass(`${config.origin}, ${config.store.kind}, KMS ${config.kms.kind}`);
      } catch (error) {
        if (error instanceof ChartsealError) return fail(error.message);
        throw error;
      }
    },
  },
  {
    id: 'kms-identity',
    title: 'keys are in AWS, reached by Google’s identity and no stored secret',
    cure: 'Set CHARTSEAL_KMS=aws and CHARTSEAL_AWS_ROLE (an output of infra/aws/roles.yaml); unset AWS_ACCESS_KEY_ID.',
    judge: async ({ env }) => {
      if ((env['CHARTSEAL_KMS'] ?? 'aws') !== 'aws') return fail(`CHARTSEAL_KMS is ${env['CHARTSEAL_KMS']}`);
      if (env['AWS_ACCESS_KEY_ID'] !== undefined || env['AWS_SECRET_ACCESS_KEY'] !== undefined)
        return fail('a static AWS key is in the environment');
      return env['CHARTSEAL_AWS_ROLE'] === undefined
        ? fail('CHARTSEAL_AWS_ROLE is missing')
        : pass(env['CHARTSEAL_AWS_ROLE']);
    },
  },
  {
    id: 'checkpoints',
    title: 'checkpoints of the audit log go outside',
    cure: 'Set CHARTSEAL_CHECKPOINTS=gs://BUCKET, a bucket of another administrator with a locked retention policy.',
    judge: async ({ env }) =>
      env['CHARTSEAL_CHECKPOINTS']?.startsWith('gs://') === true
        ? pass(env['CHARTSEAL_CHECKPOINTS'])
        : fail('nothing is proven'),
  },
  {
    id: 'documents',
    title: 'documents have a bucket',
    cure: 'Set CHARTSEAL_DOCUMENTS=gs://BUCKET, a bucket of this project that nobody reads but the server.',
    judge: async ({ env }) =>
      env['CHARTSEAL_DOCUMENTS']?.startsWith('gs://') === true
        ? pass(env['CHARTSEAL_DOCUMENTS'])
        : fail('there is nowhere to keep them'),
  },
  {
    id: 'no-secrets-in-files',
    title: 'no secret lies in the environment file',
    cure: 'Give them with "firebase functions:secrets:set", and delete them from the file.',
    judge: async ({ root, project }) => {
      const text = await readFile(join(root, `functions/.env.${project}`), 'utf8').catch(() => '');
      const found = SECRETS.filter((name) => new RegExp(`^${name}=.`, 'm').test(text));
      return found.length > 0 ? fail(`${found.join(', ')} in functions/.env.${project}`) : pass('none found');
    },
  },
  {
    id: 'rules',
    title: 'Firestore’s rules let nobody in: only the server reads and writes',
    cure: 'Restore firestore.rules: one match of everything that allows nothing.',
    judge: async ({ root }) => {
      const rules = await readFile(join(root, 'firestore.rules'), 'utf8');
      const allows = [...rules.matchAll(/allow\s+([^;]+);/g)].map(([, rule = '']) => rule.trim());
      return allows.length > 0 && allows.every((rule) => rule === 'read, write: if false')
        ? pass(`${allows.length} rule, which refuses`)
        : fail(`${allows.length} rules, not all of which refuse`);
    },
  },
  {
    id: 'indexes',
    title: 'sealed bytes are kept out of Firestore’s indexes',
    cure: 'Add the column to firestore.indexes.json as the others are.',
    judge: judgeIndexes,
  },
  {
    id: 'google-side',
    title: 'the written commands of Google’s side are what the code needs: functions, TTL, secrets, alarms',
    cure: 'Look at what changed, and run "npx vitest run test/infra/google --project unit -u".',
    judge: async ({ root }) => {
      const page = await readFile(join(root, 'infra/google/deployment.md'), 'utf8');
      return page === deploymentPage()
        ? pass(
            `${Object.keys(FUNCTIONS).length} functions, ${SELF_EXPIRING.length} TTL policies, ${ALARMS.length} alarms`,
          )
        : fail('infra/google/deployment.md is of another version');
    },
  },
  {
    id: 'hosting',
    title: 'Hosting sends /.well-known, and everything but /documents, to the main function',
    cure: 'Restore the three rewrites of firebase.json in their order.',
    judge: async ({ root }) => {
      const { hosting } = (await jsonOf(root, 'firebase.json')) as {
        hosting: { rewrites: { source: string; function: { region: string } }[] };
      };
      const sources = hosting.rewrites.map(({ source }) => source).join(', ');
      const elsewhere = hosting.rewrites.filter((to) => to.function.region !== HOSTING.functionsRegion);
      if (elsewhere.length > 0) return fail(`the function is in ${HOSTING.functionsRegion}`);
      return sources === '/.well-known/**, /documents{,/**}, **' ? pass(sources) : fail(sources);
    },
  },
  {
    id: 'policies',
    title: 'every access policy is there and can be read',
    cure: 'Restore src/access/policies from the repository.',
    judge: async () => {
      await loadPolicyEngine();
      return pass(`${POLICY_NAMES.length} policies`);
    },
  },
  {
    id: 'bundle',
    title: 'the function’s bundle builds and loads',
    cure: 'Run "npm run build".',
    judge: judgeBundle,
  },
  {
    id: 'aws-templates',
    title: 'the AWS templates are sound',
    cure: 'Run "cfn-lint infra/aws/*.yaml" and correct what it names.',
    judge: async ({ root }) => {
      const files = ['roles', 'tenant'].map((name) => join(root, 'infra/aws', `${name}.yaml`));
      const { status, stdout, error } = spawnSync('cfn-lint', files, { encoding: 'utf8', timeout: LINT_MS });
      if (error !== undefined) return notChecked('cfn-lint is not installed');
      return status === 0
        ? pass('cfn-lint finds nothing')
        : fail(stdout.trim().split('\n')[0] ?? 'cfn-lint objects');
    },
  },
];

async function judgeIndexes({ root }: Deployment): Promise<Judgement> {
  const { fieldOverrides } = (await jsonOf(root, 'firestore.indexes.json')) as {
    fieldOverrides: { collectionGroup: string; fieldPath: string; indexes: unknown[] }[];
  };
  const exempt = new Set(
    fieldOverrides
      .filter(({ indexes }) => indexes.length === 0)
      .map(({ collectionGroup, fieldPath }) => `${collectionGroup}.${fieldPath}`),
  );
  const wanted = COLLECTIONS.flatMap(({ name, columns }) =>
    Object.entries(columns)
      .filter(([, type]) => /^(?:bytes|json)/.test(type))
      .map(([column]) => `${name}.${column}`),
  );
  const missing = wanted.filter((column) => !exempt.has(column));
  return missing.length > 0 ? fail(`not exempt: ${missing.join(', ')}`) : pass(`${wanted.length} columns`);
}

/** Built as for the real thing, and loaded once, so that what is missing is missed here. */
async function judgeBundle(): Promise<Judgement> {
  const bundle = join(await buildFunctions(), 'index.cjs');
  const { size } = await stat(bundle);
  if (size > MAX_BUNDLE) return fail(`${Math.round(size / 1_048_576)} MiB`);
  const exported = Object.keys(createRequire(import.meta.url)(bundle) as object);
  const missing = Object.keys(FUNCTIONS).filter((name) => !exported.includes(name));
  return missing.length === 0
    ? pass(`${(size / 1_048_576).toFixed(1)} MiB, ${exported.length} functions`)
    : fail(`it exports no ${missing.join(', ')}`);
}
