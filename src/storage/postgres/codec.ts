import type { Collection, Columns, ColumnType, Row } from '../../kernel/collection.ts';
import { type BaseType, baseOf, checkValue, isOptional } from '../rows.ts';

/** How columns lie in PostgreSQL, and how values cross over. */

const SQL_TYPES: Readonly<Record<BaseType, string>> = {
  text: 'text COLLATE "C"',
  integer: 'bigint',
  boolean: 'boolean',
  instant: 'timestamptz',
  bytes: 'bytea',
  // Not jsonb, which cannot hold every string that JSON can, and reorders keys.
  json: 'json',
};

/** camelCase → "snake_case". The store's own columns begin with an underscore, which no declared one does. */
export const quoted = (name: string): string =>
  `"${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}"`;

/** The definition of a column, without its name. */
export const sqlType = (type: ColumnType): string =>
  SQL_TYPES[baseOf(type)] + (isOptional(type) ? '' : ' NOT NULL');

/** Milliseconds as the text of a `timestamptz`. */
export const toTimestamp = (instant: number): string => new Date(instant).toISOString();
/** SQL that gives a `timestamptz` as whole milliseconds. */
export const inMillis = (sql: string): string => `(extract(epoch FROM ${sql}) * 1000)::bigint`;

/** What to select so that each column comes back under its own name. */
export function selectList(of: Collection): string {
  const columns = Object.entries(of.columns).map(([column, type]) => {
    const sql = baseOf(type) === 'instant' ? inMillis(quoted(column)) : quoted(column);
    return `${sql} AS "${column}"`;
  });
  return ['_id', ...columns].join(', ');
}

/** A value as a statement's parameter. */
export function toParameter(type: ColumnType, value: unknown): unknown {
  if (value === null && (isOptional(type) || baseOf(type) !== 'json')) return null;
  switch (baseOf(type)) {
    case 'instant':
      return toTimestamp(value as number);
    case 'bytes':
      return Buffer.from(value as Uint8Array);
    case 'json':
      return JSON.stringify(value);
    default:
      return value;
  }
}

/** What came back → the row, checked. */
export function fromResult<C extends Columns>(of: Collection<C>, result: Record<string, unknown>): Row<C> {
  const row: Record<string, unknown> = {};
  for (const [column, type] of Object.entries(of.columns)) {
    const value = fromColumn(type, result[column]);
    row[column] = checkValue(of.name, column, type, value);
  }
  return row as Row<C>;
}

function fromColumn(type: ColumnType, value: unknown): unknown {
  if (value === null) return null;
  switch (baseOf(type)) {
    case 'integer':
    case 'instant':
      return Number(value);
    case 'bytes':
      return value instanceof Uint8Array ? new Uint8Array(value) : undefined;
    default:
      return value;
  }
}
