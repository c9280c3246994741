import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { COLLECTIONS, SELF_EXPIRING } from '../../src/collections.ts';
import { stepsByHand } from '../../src/dev/deploy/by-hand.ts';
import { deploymentPage } from '../../src/dev/deploy/page.ts';
import { ACCOUNTS, FUNCTIONS, HOSTING, RUN_AS, SECRETS } from '../../src/hosting.ts';

const ROOT = join(import.meta.dirname, '../..');
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const commands = stepsByHand('riverside').flatMap((step) => step.commands);

test('the page of commands is what the code is', async () => {
  await expect(deploymentPage()).toMatchFileSnapshot('../../infra/google/deployment.md');
});

describe('the functions as they are deployed', () => {
  /** What firebase-functions hands to the deployment, on each function. */
  interface Endpoint {
    readonly region: readonly string[];
    readonly availableMemoryMb: number;
    readonly timeoutSeconds: number;
    readonly minInstances: number | object;
    readonly ingressSettings: string;
    readonly secretEnvironmentVariables: readonly { readonly key: string }[];
  }
  let deployed: Readonly<Record<string, { readonly __endpoint: Endpoint }>>;
  beforeAll(async () => {
    deployed = (await import('../../functions/index.ts')) as never;
  });

  test('are those that are written down', () => {
    expect(Object.keys(deployed).sort()).toEqual(Object.keys(FUNCTIONS).sort());
  });

  test.each(Object.entries(FUNCTIONS))(
    '%s has its region, memory, time, ingress and secrets',
    (name, options) => {
      const { __endpoint: endpoint } = deployed[name] ?? expect.fail('not exported');
      expect(endpoint).toMatchObject({
        region: [HOSTING.functionsRegion],
        availableMemoryMb: options.memory === '1GiB' ? 1_024 : 512,
        timeoutSeconds: options.timeoutSeconds,
        ingressSettings: options.ingressSettings,
        ...('minInstances' in options && { minInstances: options.minInstances }),
      });
      expect(endpoint.secretEnvironmentVariables.map(({ key }) => key)).toEqual([...SECRETS]);
    },
  );

  test('only what assistants and people call is open to the outside', () => {
    const open = Object.entries(FUNCTIONS).filter(
      ([, { ingressSettings }]) => ingressSettings === 'ALLOW_ALL',
    );
    expect(open.map(([name]) => name)).toEqual(['chartseal', 'documents']);
  });
});

test('Hosting leads to the region of the function', () => {
  const { hosting } = JSON.parse(text('firebase.json')) as {
    hosting: { rewrites: { function: { functionId: string; region: string } }[] };
  };
  for (const { function: to } of hosting.rewrites)
    expect(FUNCTIONS).toHaveProperty(to.functionId, expect.objectContaining({ region: to.region }));
});

test('what expires by itself has a TTL policy, and nothing else: no record that waits for somebody', () => {
  const policies = commands.flatMap(
    (command) => /ttls update expiresAt --collection-group=(\w+)/.exec(command)?.[1] ?? [],
  );
  expect(policies.sort()).toEqual(SELF_EXPIRING.map(({ name }) => name).sort());
  expect(SELF_EXPIRING.every(({ columns }) => 'expiresAt' in columns)).toBe(true);
  const waiting = COLLECTIONS.filter((of) => 'expiresAt' in of.columns && !SELF_EXPIRING.includes(of));
  expect(waiting.map(({ name }) => name)).toEqual([
    'relationships',
    'emergencyGrants',
    'emergencyRecords',
    'holds',
    'exports',
  ]);
});

test('every secret has its command, and the server reads each', () => {
  for (const name of SECRETS) {
    expect(commands.some((command) => command.includes(`secrets:set ${name} `))).toBe(true);
    expect(text('src/config.ts')).toContain(`  ${name}: z.string()`);
  }
});

test('every function runs under its own identity', () => {
  for (const name of Object.keys(FUNCTIONS) as (keyof typeof FUNCTIONS)[]) {
    const account = ACCOUNTS[RUN_AS[name] ?? 'app'];
    const command = commands.find((one) => one.includes(`run services update ${name.toLowerCase()} `));
    expect(command).toContain(`--service-account=${account}@riverside.iam.gserviceaccount.com`);
  }
});

test('the journal’s bucket is another project’s, kept ten years and locked; the checkpoints’ too', () => {
  const all = commands.join('\n');
  expect(all).toMatch(
    /logging buckets create chartseal-journal --project=AUDIT_PROJECT .*--retention-days=3650/,
  );
  expect(all).toMatch(/logging buckets update chartseal-journal --project=AUDIT_PROJECT .*--locked/);
  expect(all).toMatch(
    /storage buckets create gs:\/\/BUCKET --project=AUDIT_PROJECT .*--retention-period=10y/,
  );
  expect(all).toContain('gcloud storage buckets update gs://BUCKET --lock-retention-period');
});

test('the role of the log’s writer creates and reads, and can neither change nor delete', () => {
  const { includedPermissions } = parse(text('infra/firestore-audit-role.yaml')) as {
    includedPermissions: string[];
  };
  expect(includedPermissions).toContain('datastore.entities.create');
  expect(includedPermissions.filter((one) => /update|delete|allocate|import|export|\*/.test(one))).toEqual(
    [],
  );
});
