import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ensureSchema } from '../../../src/storage/postgres/ensure-schema.ts';
import { selectBusy } from '../../../src/storage/postgres/statements.ts';
import { freshTenantId } from '../../contracts/store/subject.ts';

const { adminConnectionString, appConnectionString } = inject('postgres');
const PAST = 5_000;

const tenant = freshTenantId();
const owner = new Client({ connectionString: adminConnectionString });
const app = new Client({ connectionString: appConnectionString });

beforeAll(async () => {
  await ensureSchema(adminConnectionString, []);
  await Promise.all([owner.connect(), app.connect()]);
  for (const client of [owner, app])
    await client.query(`SELECT set_config('chartseal.tenant', $1, false)`, [tenant]);
  await owner.query(
    `INSERT INTO time_claims (_tenant, resource, booking, during)
     SELECT $1, 'dr', 'bk_' || i, tstzrange(at, at + interval '30 min', '[)')
     FROM (SELECT i, timestamptz '2026-11-22' - i * interval '30 min' AS at FROM generate_series(1, $2::int) i) past`,
    [tenant, PAST],
  );
  // As the database does by itself once enough has changed.
  await owner.query('ANALYZE time_claims');
});
afterAll(async () => {
  await owner.query('DELETE FROM time_claims WHERE _tenant = $1', [tenant]);
  await Promise.all([owner.end(), app.end()]);
});

/** Row-level security keeps the planner from using an index for a range's overlap: only `ends` lets it skip the past. */
test('as the application, under row-level security, taken times are found without looking at past ones', async () => {
  const within = { from: Date.parse('2026-11-24T00:00:00Z'), to: Date.parse('2026-12-24T00:00:00Z') };
  const { text, values } = selectBusy(tenant, ['dr'], within);
  const { rows } = await app.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values);
  const plan = JSON.stringify(rows);
  expect(plan).toContain('"Index Name":"time_claims_ends"');
  expect(plan).not.toMatch(/"Rows Removed by (?:Filter|Index Recheck)":[1-9]/);
});
