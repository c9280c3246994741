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

export function writeRow(tenant: TenantId, write: RowWrite): Statement {
  const { collection, id } = write.at;
  const table = quoted(collection.name);
  if (write.kind === 'delete')
    return { text: `DELETE FROM ${table} WHERE _tenant = $1 AND _id = $2`, values: [tenant, id] };
  const columns = Object.entries(collection.columns);
  const names = columns.map(([column]) => quoted(column));
  const values = [
    tenant,
    id,
    ...columns.map(([column, type]) => toParameter(type, write.row[column] ?? null)),
  ];
  const insert = `INSERT INTO ${table} (${['_tenant', '_id', ...names].join(', ')})
    VALUES (${values.map((_, index) => `$${index + 1}`).join(', ')})`;
  if (write.kind === 'create') return { text: insert, values };
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
