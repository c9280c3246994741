import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Client } from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { COLLECTIONS } from '../../src/collections.ts';
import { manifests, valueRef } from '../../src/crypto/open-chart.ts';
import type { PatientRef } from '../../src/crypto/patient-keys.ts';
import { startEmbeddedPostgres } from '../../src/dev/backends/embedded-postgres.ts';
import { ref } from '../../src/kernel/collection.ts';
import { openFirestoreStore } from '../../src/storage/firestore/open-store.ts';
import { ensureSchema } from '../../src/storage/postgres/ensure-schema.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-store.ts';
import { createWorld, nameOf, newPatient, read, TENANT, type World, write } from '../crypto/world.ts';
import { firestoreHost } from '../stack/addresses.ts';
import { describeNeeding } from '../stack/needs.ts';
import { contentOf, everyRow, filesBelow, found } from './traces.ts';

/** Random, so that nothing finds one by chance. What it stands for (a name, a diagnosis) is the chart's business. */
const canary = (what: string): string => `${what}${randomBytes(9).toString('hex')}`;

/** A chart of canaries, small and chunked, written, rewritten and partly removed. The control is stored in clear. */
async function plant(world: World): Promise<{ of: PatientRef; planted: string[]; control: string }> {
  const of = await newPatient(world);
  const control = canary('control');
  const names = ['name', 'mail', 'diagnosis', 'ssn', 'note', 'removed', 'long'];
  const planted = names.map((name) => canary(name));
  const [name, mail, diagnosis, ssn, note, removed, long] = planted as [string, ...string[]];
  await write(world, of, {
    demographics: JSON.stringify({ name, mail }),
    [control]: JSON.stringify({ ssn }),
    removed: `${removed}`,
    big: Buffer.from(`${long} `.repeat(30_000)),
  });
  await write(world, of, { demographics: JSON.stringify({ name, diagnosis, note }), removed: null });
  expect((await read(world, of, 'demographics'))[0]).toContain(name);
  expect((await read(world, of, 'big'))[0]).toHaveLength(30_000 * (`${long}`.length + 1));
  return { of, planted, control };
}

/** Everything that can go wrong with the chart, as a person or a log would see it. */
async function errorsOf(world: World, of: PatientRef): Promise<Buffer> {
  const tenant = world.store.tenant(TENANT);
  const at = valueRef(of, nameOf('demographics'));
  const force = (row: object) => tenant.transact(async (tx) => tx.put(at, row as never));
  const [row] = await tenant.get(at);
  const errors: unknown[] = [];
  const caught = async (work: Promise<unknown>): Promise<void> => {
    await work.then(
      () => errors.push(new Error('nothing was wrong')),
      (error: unknown) => errors.push(error),
    );
  };
  const [value] = (await world.charts.read(of, [nameOf('demographics')]))?.values ?? [];
  const plaintext = value?.toString() ?? '';
  await caught(write(world, of, { [plaintext]: plaintext }));
  await caught(write(world, of, { a: Buffer.concat([Buffer.from(plaintext), Buffer.alloc(8_388_609)]) }));
  await caught(
    world.charts.transact(of, async (chart, tx) => {
      await chart.seal(nameOf('demographics'), Buffer.from(plaintext), -1);
      await chart.save(tx);
    }),
  );
  await caught(tenant.transact(async (tx) => tx.put(at, { ...row, sealed: plaintext } as never)));
  await caught(
    tenant.transact(async (tx) =>
      tx.create(ref(manifests, of.patient), { revision: 1, sealed: Buffer.from(plaintext) }),
    ),
  );
  await force({ ...row, schema: 9 });
  await caught(read(world, of, 'demographics'));
  await force({ ...row, sealed: Buffer.from(plaintext.padEnd(200)) });
  await caught(read(world, of, 'demographics'));
  await force(row as object);
  expect(errors).toHaveLength(7);
  expect(errors.map((error) => (error as { code?: string }).code)).not.toContain(undefined);
  const shown = errors.map((error) => inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error));
  return Buffer.from(shown.join('\n'));
}

describe('planted values', () => {
  test('are nowhere in PostgreSQL: tables, data files, write-ahead log', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'chartseal-canaries-'));
    chmodSync(dataDir, 0o755);
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const server = await startEmbeddedPostgres({ dataDir });
    let running = true;
    const stop = async (): Promise<void> => {
      if (running) await server.close();
      running = false;
    };
    onTestFinished(stop);
    await ensureSchema(server.adminConnectionString, COLLECTIONS);
    const store = openPostgresStore({ connectionString: server.appConnectionString });
    const world = createWorld({ store });
    const { planted, control } = await plant(world);
    const tables = await dump(dataDir, server.port);
    expect(found([control], tables), 'the search finds what is in clear').toEqual([control]);
    expect(found(planted, tables)).toEqual([]);
    await store.close();
    await stop();
    const files = filesBelow(join(dataDir, 'cluster'));
    const log = files.filter((file) => file.includes('pg_wal'));
    expect(log.length).toBeGreaterThan(0);
    expect(found([control], contentOf(log)), 'the log is searched').toEqual([control]);
    expect(found(planted, contentOf(files))).toEqual([]);
  });

  test('are in no error of a chart on PostgreSQL', async () => {
    const { adminConnectionString, appConnectionString } = inject('postgres');
    await ensureSchema(adminConnectionString, COLLECTIONS);
    const store = openPostgresStore({ connectionString: appConnectionString });
    onTestFinished(() => store.close());
    const world = createWorld({ store });
    const { of, planted } = await plant(world);
    expect(found(planted, await errorsOf(world, of))).toEqual([]);
  });

  describeNeeding('firestore', 'on the official emulator', () => {
    test('are in no document and no error of Firestore', async () => {
      const store = openFirestoreStore({ projectId: 'demo-canaries', emulatorHost: firestoreHost() });
      onTestFinished(() => store.close());
      const world = createWorld({ store });
      const { of, planted, control } = await plant(world);
      const documents = await everyRow(store, TENANT);
      expect(found([control], documents), 'the search finds what is in clear').toEqual([control]);
      expect(found(planted, documents)).toEqual([]);
      expect(found(planted, await errorsOf(world, of))).toEqual([]);
    });
  });
});

/** Every table as text, by the superuser, whom no row-level security binds. */
async function dump(dataDir: string, port: number): Promise<Buffer> {
  const { superuser } = JSON.parse(readFileSync(join(dataDir, 'passwords.json'), 'utf8')) as {
    superuser: string;
  };
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: superuser,
    database: 'chartseal',
  });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
    );
    expect(tables.rows.length).toBeGreaterThanOrEqual(COLLECTIONS.length);
    let text = '';
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
      text += rows.map(({ row }) => row).join('\n');
    }
    await client.query('CHECKPOINT');
    return Buffer.from(text);
  } finally {
    await client.end();
  }
}
