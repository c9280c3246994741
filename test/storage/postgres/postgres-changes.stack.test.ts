import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Changes, collection } from '../../../src/kernel/collection.ts';
import { ensureSchema } from '../../../src/storage/postgres/ensure-schema.ts';
import { freshTenantId } from '../../contracts/store/subject.ts';

const { adminConnectionString, appConnectionString } = inject('postgres');
const TABLES = { any: 'changes_any', 'delete-only': 'changes_delete_only', never: 'changes_never' } as const;
const declared = (['any', 'delete-only', 'never'] as const).map((changes) =>
  collection(
    `changes${changes === 'any' ? 'Any' : changes === 'never' ? 'Never' : 'DeleteOnly'}`,
    { text: 'text' },
    { changes },
  ),
);

describe('what the application’s role may do with a row that is there', () => {
  let app: Client;
  const tenant = freshTenantId();
  beforeAll(async () => {
    // Made once when everything was allowed: the rights are taken away again.
    await ensureSchema(
      adminConnectionString,
      declared.map(({ name, columns }) => collection(name, columns)),
    );
    await ensureSchema(adminConnectionString, declared);
    app = new Client({ connectionString: appConnectionString });
    await app.connect();
  });
  afterAll(async () => app?.end());

  async function tried(statement: string): Promise<string> {
    await app.query('BEGIN');
    try {
      await app.query(`SELECT set_config('chartseal.tenant', $1, true)`, [tenant]);
      await app.query(statement);
      return 'done';
    } catch (error) {
      return (error as { code?: string }).code ?? '';
    } finally {
      await app.query('ROLLBACK');
    }
  }

  test.each([
    ['any', 'done', 'done'],
    ['delete-only', '42501', 'done'],
    ['never', '42501', '42501'],
  ] as const satisfies readonly (readonly [Changes, string, string])[])(
    'changes: %s: an update is %s, a delete is %s, and a row can be created',
    async (changes, update, removal) => {
      const table = TABLES[changes];
      expect(await tried(`INSERT INTO ${table} (_tenant, _id, text) VALUES ('${tenant}', 'a', 'b')`)).toBe(
        'done',
      );
      expect(await tried(`UPDATE ${table} SET text = 'c'`)).toBe(update);
      expect(await tried(`DELETE FROM ${table}`)).toBe(removal);
    },
  );
});
