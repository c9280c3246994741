import { readdirSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { collection, ref } from '../../../src/kernel/collection.ts';
import type { Store } from '../../../src/kernel/store.ts';
import { ensureSchema } from '../../../src/storage/postgres/ensure-schema.ts';
import { openPostgresStore } from '../../../src/storage/postgres/open-store.ts';
import { openPool } from '../../../src/storage/postgres/session.ts';
import { postgresTenant } from '../../../src/storage/postgres/tenant-store.ts';
import { aClaim, claim, codeOf, freshTenantId, times } from '../../contracts/store/subject.ts';

const { adminConnectionString, appConnectionString } = inject('postgres');
const notes = collection('isolationNotes', { text: 'text', count: 'integer?' });
const note = (id: string) => ref(notes, id);

describe('tenant isolation in PostgreSQL itself', () => {
  let store: Store;
  let app: Client;
  let owner: Client;
  const tenantId = freshTenantId();

  beforeAll(async () => {
    await ensureSchema(adminConnectionString, [notes]);
    store = openPostgresStore({ connectionString: appConnectionString });
    app = new Client({ connectionString: appConnectionString });
    owner = new Client({ connectionString: adminConnectionString });
    await Promise.all([app.connect(), owner.connect()]);
    const tenant = store.tenant(tenantId);
    await tenant.transact(async (tx) => tx.create(note('one'), { text: 'a', count: null }));
    await claim(tenant, aClaim('bk_1', 0, 2));
  });
  afterAll(async () => await Promise.all([store.close(), app.end(), owner.end()]));

  const tables = ['isolation_notes', 'time_claims'];

  test.each(tables)('no role sees a row of %s without naming a tenant', async (table) => {
    for (const client of [app, owner])
      expect((await client.query(`SELECT * FROM ${table}`)).rows).toEqual([]);
  });

  test.each(tables)(
    'a transaction for another tenant sees, changes and removes nothing of %s',
    async (table) => {
      await app.query('BEGIN');
      await app.query(`SELECT set_config('chartseal.tenant', $1, true)`, [freshTenantId()]);
      expect((await app.query(`SELECT * FROM ${table}`)).rows).toEqual([]);
      expect((await app.query(`UPDATE ${table} SET _tenant = _tenant`)).rowCount).toBe(0);
      expect((await app.query(`DELETE FROM ${table}`)).rowCount).toBe(0);
      await app.query('ROLLBACK');
    },
  );

  test('a transaction cannot write for another tenant than its own', async () => {
    await app.query('BEGIN');
    await app.query(`SELECT set_config('chartseal.tenant', $1, true)`, [freshTenantId()]);
    const insert = app.query(`INSERT INTO isolation_notes (_tenant, _id, text) VALUES ($1, 'x', 'y')`, [
      tenantId,
    ]);
    await expect(insert).rejects.toMatchObject({ code: '42501' });
    await app.query('ROLLBACK');
  });

  test.each(tables)('row-level security is enabled and forced on %s', async (table) => {
    const { rows } = await owner.query(
      'SELECT relrowsecurity AS on, relforcerowsecurity AS forced FROM pg_class WHERE relname = $1',
      [table],
    );
    expect(rows).toEqual([{ on: true, forced: true }]);
  });

  test('the role of the application has no way around it', async () => {
    const { rows } = await app.query(
      'SELECT rolname AS name, rolsuper AS super, rolbypassrls AS bypass, rolcreaterole AS roles FROM pg_roles WHERE rolname = current_user',
    );
    expect(rows).toEqual([{ name: 'chartseal_app', super: false, bypass: false, roles: false }]);
    for (const statement of [
      'ALTER TABLE isolation_notes DISABLE ROW LEVEL SECURITY',
      'DROP POLICY own_tenant ON isolation_notes',
      'TRUNCATE isolation_notes',
      'CREATE TABLE mine (a int)',
      'SET ROLE chartseal_owner',
    ])
      await expect(app.query(statement), statement).rejects.toMatchObject({ code: '42501' });
  });

  test('no tenant stays behind on a connection of the pool, after success or failure', async () => {
    const pool = openPool(appConnectionString);
    const tenant = postgresTenant(pool, tenantId);
    const fail = async (): Promise<never> =>
      await tenant.transact(async (tx) => {
        await tx.get(note('one'));
        throw new Error('mine');
      });
    await Promise.all(times(20, () => tenant.get(note('one'))));
    await Promise.all(times(20, () => tenant.transact(async (tx) => await tx.get(note('one')))));
    await Promise.allSettled(times(20, fail));
    expect(pool.totalCount).toBe(10);
    const left = await Promise.all(
      times(10, async () => {
        const { rows } = await pool.query(
          `SELECT current_setting('chartseal.tenant', true) AS tenant, pg_sleep(0.1)::text AS slept,
             (SELECT count(*) FROM isolation_notes)::int AS seen`,
        );
        return rows[0];
      }),
    );
    for (const { tenant: name, seen } of left) expect([name, seen]).toEqual(['', 0]);
    await pool.end();
  });

  test('the exclusion constraint refuses an overlap that passes by the store', async () => {
    await app.query('BEGIN');
    await app.query(`SELECT set_config('chartseal.tenant', $1, true)`, [tenantId]);
    const insert = app.query(
      `INSERT INTO time_claims (_tenant, resource, booking, during)
       SELECT _tenant, resource, 'bk_2', during FROM time_claims`,
    );
    await expect(insert).rejects.toMatchObject({ code: '23P01' });
    await app.query('ROLLBACK');
  });
});

describe('ensureSchema', () => {
  test('may run again, at once, and adds what is missing without touching rows', async () => {
    const store = openPostgresStore({ connectionString: appConnectionString });
    const tenant = store.tenant(freshTenantId());
    const first = collection('schemaGrows', { a: 'text' });
    const later = collection('schemaGrows', { a: 'text', addedLater: 'integer?' });
    await Promise.all(times(4, () => ensureSchema(adminConnectionString, [first])));
    await tenant.transact(async (tx) => tx.create(ref(first, 'one'), { a: 'x' }));
    expect(await codeOf(tenant.get(ref(later, 'one')))).toBe('STORE_USE');
    await ensureSchema(adminConnectionString, [later]);
    expect(await tenant.get(ref(later, 'one'))).toEqual([{ a: 'x', addedLater: null }]);
    const required = collection('schemaGrows', { a: 'text', must: 'text' });
    expect(await codeOf(ensureSchema(adminConnectionString, [required]))).toBe('STORE_USE');
    expect(await tenant.get(ref(later, 'one'))).toEqual([{ a: 'x', addedLater: null }]);
    await store.close();
  });

  test('each numbered migration ran once, and is on record', async () => {
    await ensureSchema(adminConnectionString, []);
    const admin = new Client({ connectionString: adminConnectionString });
    await admin.connect();
    const { rows } = await admin.query('SELECT name FROM schema_migrations ORDER BY name');
    await admin.end();
    const files = readdirSync('src/storage/postgres/migrations').map((name) => name.replace(/\.sql$/, ''));
    expect(rows.map((row: { name: string }) => row.name)).toEqual(files.sort());
  });

  test('refuses a name that is not camelCase', async () => {
    const bad = collection('x"; DROP TABLE y; --', { a: 'text' });
    expect(await codeOf(ensureSchema(adminConnectionString, [bad]))).toBe('STORE_USE');
  });

  test('says so when the database refuses the password', async () => {
    const url = new URL(adminConnectionString);
    url.password = 'wrong';
    expect(await codeOf(ensureSchema(url.href, []))).toBe('STORE_UNAVAILABLE');
  });
});
