import type { Collection } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { TimeClaim, TimeSpan } from '../../kernel/store.ts';
import { MAX_CLAIM_MS } from '../time-claims.ts';
import type { RowWrite } from '../write-buffer.ts';
import { inMillis, quoted, selectList, toParameter, toTimestamp } from './codec.ts';

/** SQL with its parameters. The tenant is named in each, besides row-level security, so that keys are used. */
export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

const SPAN = (from: number, to: number): string =>
  `tstzrange($${from}::timestamptz, $${to}::timestamptz, '[)')`;

export function selectByIds(tenant: TenantId, of: Collection, ids: readonly string[]): Statement {
  const text = `SELECT ${selectList(of)} FROM ${quoted(of.name)} WHERE _tenant = $1 AND _id = ANY($2::text[])`;
  return { text, values: [tenant, ids] };
}

export function selectPage(
  tenant: TenantId,
  of: Collection,
  page: { filters: [string, unknown][]; after: string | undefined; limit: number },
): Statement {
  const values: unknown[] = [tenant, page.limit];
  const next = (value: unknown): string => `$${values.push(value)}`;
  const conditions = page.filters.map(([column, value]) =>
    value === null
      ? `${quoted(column)} IS NULL`
      : `${quoted(column)} = ${next(toParameter(of.columns[column] ?? 'text', value))}`,
  );
  if (page.after !== undefined) conditions.push(`_id > ${next(page.after)}`);
  const where = ['_tenant = $1', ...conditions].join(' AND ');
  return {
    text: `SELECT ${selectList(of)} FROM ${quoted(of.name)} WHERE ${where} ORDER BY _id LIMIT $2`,
    values,
  };
}

/** `ends` is what the index is by; the overlap alone would look at every claim there ever was (migration 0002). */
export function selectBusy(tenant: TenantId, resources: readonly string[], within: TimeSpan): Statement {
  const span = SPAN(3, 4);
  const text = `SELECT resource, booking, ${inMillis(`lower(during * ${span})`)} AS "from",
      ${inMillis(`upper(during * ${span})`)} AS "to"
    FROM time_claims WHERE _tenant = $1 AND resource = ANY($2::text[]) AND during && ${span}
      AND ends > $3::timestamptz AND ends < $5::timestamptz`;
  const { from, to } = within;
  const last = toTimestamp(to + MAX_CLAIM_MS);
  return { text, values: [tenant, resources, toTimestamp(from), toTimestamp(to), last] };
}

/** One statement for each run of writes of one kind to one collection, in the order of the calls. */
export function writeRows(tenant: TenantId, writes: readonly RowWrite[]): Statement[] {
  return runsOf(writes).map((run) => writeRun(tenant, run));
}

/** A run never names a row twice: PostgreSQL refuses to upsert one twice in a statement. */
function runsOf(writes: readonly RowWrite[]): Run[] {
  const runs: Run[] = [];
  const ids = new Set<string>();
  for (const write of writes) {
    const [last] = runs.at(-1) ?? [];
    const isNext = last?.kind === write.kind && last.at.collection === write.at.collection;
    if (isNext && !ids.has(write.at.id)) runs.at(-1)?.push(write);
    else {
      runs.push([write]);
      ids.clear();
    }
    ids.add(write.at.id);
  }
  return runs;
}

type Run = [RowWrite, ...RowWrite[]];

function writeRun(tenant: TenantId, run: Run): Statement {
  const { kind, at } = run[0];
  const table = quoted(at.collection.name);
  const ids = run.map((write) => write.at.id);
  if (kind === 'delete')
    return {
      text: `DELETE FROM ${table} WHERE _tenant = $1 AND _id = ANY($2::text[])`,
      values: [tenant, ids],
    };
  const columns = Object.entries(at.collection.columns);
  const values: unknown[] = [tenant];
  const next = (value: unknown): string => `$${values.push(value)}`;
  const tuples = run.map((write) => {
    const row = write.kind === 'delete' ? {} : write.row;
    const cells = columns.map(([column, type]) => next(toParameter(type, row[column] ?? null)));
    return `(${['$1', next(write.at.id), ...cells].join(', ')})`;
  });
  const names = columns.map(([column]) => quoted(column));
  const insert = `INSERT INTO ${table} (${['_tenant', '_id', ...names].join(', ')}) VALUES ${tuples.join(', ')}`;
  if (kind === 'create') return { text: insert, values };
  const changes = names.map((name) => `${name} = EXCLUDED.${name}`).join(', ');
  const onConflict = names.length === 0 ? 'DO NOTHING' : `DO UPDATE SET ${changes}`;
  return { text: `${insert} ON CONFLICT (_tenant, _id) ${onConflict}`, values };
}

export function insertClaim(tenant: TenantId, claim: TimeClaim): Statement {
  const text = `INSERT INTO time_claims (_tenant, resource, booking, during) VALUES ($1, $2, $3, ${SPAN(4, 5)})`;
  return { text, values: claimValues(tenant, claim) };
}

/**
 * Claims of one resource take turns. Without it, those that meet at the exclusion constraint wait for each other in
 * a circle, and PostgreSQL frees one of them a second.
 */
export function lockResource(tenant: TenantId, resource: string): Statement {
  const text = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))';
  return { text, values: [`claim/${tenant}/${resource}`] };
}

export function deleteClaim(tenant: TenantId, claim: TimeClaim): Statement {
  const text = `DELETE FROM time_claims
    WHERE _tenant = $1 AND resource = $2 AND booking = $3 AND during <@ ${SPAN(4, 5)}
      AND ends > $4::timestamptz AND ends <= $5::timestamptz`;
  return { text, values: claimValues(tenant, claim) };
}

const claimValues = (tenant: TenantId, { resource, booking, from, to }: TimeClaim): unknown[] => [
  tenant,
  resource,
  booking,
  toTimestamp(from),
  toTimestamp(to),
];
