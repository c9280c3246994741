import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { buildPackage } from '../../src/dev/build-package.ts';
import { startKmsEmulator } from '../../src/dev/kms-emulator/server.ts';
import { firestoreHost } from '../stack/addresses.ts';
import { describeNeeding } from '../stack/needs.ts';

const ROOT = join(import.meta.dirname, '../..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const run = promisify(execFile);
const { adminConnectionString } = inject('postgres');

let work: string;
let project: string;
let packed: string[];

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'chartseal-package-'));
  project = join(work, 'project');
  packed = await installPackage();
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
}, 120_000);
afterAll(async () => await rm(work, { recursive: true, force: true }));

/** Packs as `npm publish` would, and unpacks where `npm install` would. The repository stays as it is. */
async function installPackage(): Promise<string[]> {
  const source = join(work, 'source');
  await buildPackage(join(source, 'dist'));
  await copyFile(join(ROOT, 'package.json'), join(source, 'package.json'));
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--offline'], { cwd: source });
  const answer: unknown = JSON.parse(stdout);
  const [pack] = Object.values(answer as Record<string, { filename: string; files: { path: string }[] }>);
  if (pack === undefined) throw new Error('npm packed nothing');
  const modules = join(project, 'node_modules');
  await mkdir(join(modules, 'chartseal'), { recursive: true });
  const into = ['-C', join(modules, 'chartseal'), '--strip-components=1'];
  await run('tar', ['-xzf', join(source, pack.filename), ...into]);
  for (const name of ['@aws-sdk', '@google-cloud', '@types', 'card-validator', 'credit-card-type', 'pg'])
    await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  return pack.files.map(({ path }) => path);
}

/** Compiles one file of the other project; answers what the compiler says. */
async function compile(file: string, options: readonly string[] = []): Promise<string> {
  const flags =
    '--strict --target es2024 --module nodenext --types node --noUncheckedIndexedAccess --skipLibCheck';
  try {
    await run(process.execPath, [TSC, ...flags.split(' '), ...options, file], { cwd: project });
    return '';
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

async function example(name: string, env: Record<string, string>): Promise<string> {
  await copyFile(join(ROOT, 'examples', name), join(project, name));
  expect(await compile(name, ['--noEmit'])).toBe('');
  // Its exit code is its own word on what it found; what it wrote is the answer either way.
  const { stdout } = await run(process.execPath, [name], {
    cwd: project,
    env: { ...process.env, ...env },
  }).catch((error: { stdout: string; stderr: string }) => {
    if (error.stderr !== '') throw error;
    return error;
  });
  return stdout;
}

const CONSUMER = `
import { CryptoError, DataKeys, LocalKeyring, localKeyId, openFields, type Sealed, sealFields } from 'chartseal/crypto';
const keyring = new LocalKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]);
const dataKeys = new DataKeys({ keyring });
const { key, envelope } = await dataKeys.createDataKey(localKeyId(1), { subject: 's1' });
const place = { tenant: 't', subject: 's1', collection: 'c', document: 'd', schema: 1, revision: 0 };
const sealed = sealFields({ a: 1n, b: 'x' }, ['a'], { key, place });
const a: Sealed<bigint> = sealed.a;
const b: string = sealed.b;
const keys = [await dataKeys.loadDataKey(envelope, { subject: 's1' })];
const opened: { a: bigint; b: string } = openFields(sealed, ['a'], { keys, place });
try {
  openFields({ a, b }, ['a'], { keys, place: { ...place, document: 'e' } });
} catch (error) {
  if (error instanceof CryptoError) process.stdout.write([opened.a, opened.b, error.code].join(' '));
}
`;

describe('the package in another project', () => {
  test('holds the library and its types, and no source', () => {
    expect(packed).toEqual(
      expect.arrayContaining(['package.json', 'dist/crypto/index.js', 'dist/crypto/index.d.ts']),
    );
    expect(packed).toEqual(
      expect.arrayContaining(['dist/compliance/index.js', 'dist/compliance/index.d.ts']),
    );
    // Only what the exports lead to: none of the server's own declarations.
    expect(packed.filter((path) => /^dist\/(?:lifecycle|audit|access|clinic)\//.test(path))).toEqual([]);
    expect(
      packed.filter((path) => /^(?:src\/(?!cli\/chartseal\.ts)|test\/|emulator-data\/)/.test(path)),
    ).toEqual([]);
  });

  test('compiles and runs', async () => {
    await writeFile(join(project, 'consumer.ts'), CONSUMER);
    expect(await compile('consumer.ts')).toBe('');
    expect((await run(process.execPath, ['consumer.js'], { cwd: project })).stdout).toBe('1 x COMMITMENT');
  });

  test('compiles without skipLibCheck, and for a bundler', async () => {
    await writeFile(join(project, 'consumer.ts'), CONSUMER);
    const bundler = ['--module', 'esnext', '--moduleResolution', 'bundler', '--noEmit'];
    expect(await compile('consumer.ts', bundler)).toBe('');
    const errors = await compile('consumer.ts', ['--noEmit', '--skipLibCheck', 'false']);
    expect(errors.split('\n').filter((line) => line.includes('chartseal'))).toEqual([]);
  });

  test('does not compile where a sealed field is used as its value', async () => {
    await writeFile(
      join(project, 'wrong.ts'),
      CONSUMER.replace('const b: string = sealed.b', 'const b: bigint = sealed.a'),
    );
    expect(await compile('wrong.ts', ['--noEmit'])).toMatch(
      /error TS2322: Type 'Sealed<bigint>' is not assignable/,
    );
  });

  test('has one class of each error, whichever of its modules throws it', async () => {
    await writeFile(
      join(project, 'errors.js'),
      `import { InputError } from 'chartseal/crypto';
      import { checkEncryptionAtRest } from 'chartseal/compliance';
      await checkEncryptionAtRest([{ name: 'c', sealed: ['a', 'a'], rows: [] }]).catch((error) =>
        process.stdout.write([error instanceof InputError, error.code].join(' ')));`,
    );
    expect((await run(process.execPath, ['errors.js'], { cwd: project })).stdout).toBe('true INPUT');
  });

  test('does not compile where a finding’s status is misspelt', async () => {
    await writeFile(
      join(project, 'status.ts'),
      "import type { Finding } from 'chartseal/compliance';\nexport const red = (one: Finding) => one.status === 'not-satisfied';\n",
    );
    expect(await compile('status.ts', ['--noEmit'])).toContain('error TS2367');
  });

  test('gives nothing but what it exports', async () => {
    await writeFile(join(project, 'deep.js'), "await import('chartseal/dist/crypto/index.js');");
    await expect(run(process.execPath, ['deep.js'], { cwd: project })).rejects.toThrow(
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    );
  });
});

describe('the examples, run from the package', () => {
  test('findings on an app’s own rows, keys, access and log, with the one row that is in clear', async () => {
    const lines = (await example('compliance.ts', {})).trim().split('\n');
    const red = lines.filter((line) => !line.startsWith('satisfied'));
    expect(lines).toHaveLength(15);
    expect(red.map((line) => line.split(/ +/).slice(0, 2).join(' '))).toEqual([
      'notSatisfied sealed-values',
      'notSatisfied no-plaintext-phi',
      'notAssessable access-matrix',
      'notAssessable session-limits',
    ]);
    expect(lines.join('\n')).not.toMatch(/Lena|Ostrow/);
  });

  test('PostgreSQL, with keys in KMS', async () => {
    const kms = await startKmsEmulator();
    const credentials = { accessKeyId: 'AKIATESTROOT', secretAccessKey: 'not-checked' };
    const client = new KMSClient({ endpoint: kms.url, region: 'us-east-1', credentials });
    try {
      const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
      const printed = await example('postgres.ts', {
        DATABASE_URL: adminConnectionString,
        KMS_KEY_ARN: KeyMetadata?.Arn ?? '',
        AWS_ENDPOINT_URL_KMS: kms.url,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      });
      expect(printed).toBe('Zoë Quinn, account 9007199254740993, phone +1 555 0100\n');
      expect(kms.events().filter(({ eventName }) => eventName === 'Decrypt')).toHaveLength(1);
    } finally {
      client.destroy();
      await kms.close();
    }
  });

  describeNeeding('firestore', 'Firestore', () => {
    test('on the official emulator', async () => {
      const printed = await example('firestore.ts', {
        FIRESTORE_EMULATOR_HOST: firestoreHost(),
        GOOGLE_CLOUD_PROJECT: 'demo-chartseal',
        CHARTSEAL_LOCAL_KEY: 'cd'.repeat(32),
      });
      expect(printed).toBe('Zoë Quinn, born 1980-02-29T00:00:00.000Z, phone null\n{"looks": "like JSON"}\n');
    });
  });
});
