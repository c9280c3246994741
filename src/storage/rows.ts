import type { Collection, Columns, ColumnType, Ref, Row } from '../kernel/collection.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { ListOptions } from '../kernel/store.ts';
import { rowShape, storeUse } from './errors.ts';

/**
 * Rows, refs and filters held to their collection's spec: before they are stored, and again when they come
 * back. Messages name the collection and the column, never the value.
 */

/** A column's type without the `?`. */
export type BaseType = ColumnType extends infer T ? (T extends `${string}?` ? never : T) : never;

/** Rows at most this large, so that every row fits a Firestore document. */
export const MAX_ROW_BYTES = 1_000_000;
const MAX_EQUALS_BYTES = 1_000;
const MAX_JSON_DEPTH = 18;
/** The years 1 to 9999, which is what a Firestore Timestamp holds. */
const FIRST_INSTANT = -62_135_596_800_000;
const LAST_INSTANT = 253_402_300_799_999;

const NAME = /^[a-z][A-Za-z0-9]{0,39}$/;
const ROW_ID = /^[A-Za-z0-9_-]{1,128}$/;
const KEY = /^[A-Za-z0-9_-]{1,64}$/;
/** Names that the adapters keep for themselves. */
const RESERVED = new Set(['cells', 'timeClaims']);

export const baseOf = (type: ColumnType): BaseType => type.replace('?', '') as BaseType;
export const isOptional = (type: ColumnType): boolean => type.endsWith('?');

export function checkTenant(tenant: TenantId): void {
  if (!KEY.test(tenant) || /^__.*__$/.test(tenant)) throw storeUse('The tenant id is not valid.');
}

export function checkCollection(of: Collection): void {
  if (!NAME.test(of.name) || RESERVED.has(of.name))
    throw storeUse('A collection name is camelCase, at most 40 characters, and not reserved by the store.');
  for (const column of Object.keys(of.columns))
    if (!NAME.test(column)) throw storeUse(`A column name of "${of.name}" is not camelCase.`);
}

export function checkRef(at: Ref): void {
  checkCollection(at.collection);
  if (!ROW_ID.test(at.id)) throw storeUse(`A row id of "${at.collection.name}" is not valid.`);
}

export function checkKey(value: string, what: string): void {
  if (!KEY.test(value)) throw storeUse(`The ${what} of a time claim is not valid.`);
}

/** Checks a row before it is stored and returns a copy with exactly the collection's columns. */
export function checkRow<C extends Columns>(of: Collection<C>, row: Row<C>): Row<C> {
  const checked: Record<string, unknown> = {};
  let bytes = 0;
  for (const [column, type] of Object.entries(of.columns)) {
    const value = checkValue(of.name, column, type, (row as Record<string, unknown>)[column]);
    checked[column] = value;
    bytes += sizeOf(value);
  }
  for (const column of Object.keys(row))
    if (!Object.hasOwn(of.columns, column)) throw rowShape(of.name, '(unknown)', 'one of its columns');
  if (bytes > MAX_ROW_BYTES)
    throw rowShape(of.name, '(all)', `at most ${MAX_ROW_BYTES} bytes together. Split the row`);
  return checked as Row<C>;
}

/** Checks one value against its column's type. `-0` becomes `0`. */
export function checkValue(collection: string, column: string, type: ColumnType, value: unknown): unknown {
  if (value === null && isOptional(type)) return null;
  const { accepts, expected } = TYPES[baseOf(type)];
  if (!accepts(value)) throw rowShape(collection, column, expected + (isOptional(type) ? ' or null' : ''));
  return value === 0 ? 0 : value;
}

/** Checks what `list` was asked and returns the equality filters. */
export function checkList<C extends Columns>(
  of: Collection<C>,
  options: ListOptions<C>,
): [string, unknown][] {
  checkCollection(of);
  if (!Number.isInteger(options.limit) || options.limit < 1 || options.limit > 1_000)
    throw storeUse('A list limit is an integer from 1 to 1,000.');
  if (options.after !== undefined) checkRef({ collection: of, id: options.after });
  return Object.entries(options.equals ?? {}).map(([column, value]) => {
    const type = Object.hasOwn(of.columns, column) ? of.columns[column] : undefined;
    if (type === undefined) throw rowShape(of.name, '(unknown)', 'one of its columns');
    if (baseOf(type) === 'bytes' || baseOf(type) === 'json')
      throw storeUse(`Column "${column}" of "${of.name}" holds bytes or json and is not indexed.`);
    const checked = checkValue(of.name, column, type, value);
    if (sizeOf(checked) > MAX_EQUALS_BYTES)
      throw storeUse(`A filter on "${column}" of "${of.name}" is longer than ${MAX_EQUALS_BYTES} bytes.`);
    return [column, checked];
  });
}

const TYPES: Readonly<Record<BaseType, { accepts: (value: unknown) => boolean; expected: string }>> = {
  text: { accepts: isText, expected: 'well-formed text without NUL' },
  integer: { accepts: Number.isSafeInteger, expected: 'a safe integer' },
  boolean: { accepts: (value) => typeof value === 'boolean', expected: 'true or false' },
  instant: { accepts: isInstant, expected: 'an instant in whole milliseconds, years 1 to 9999' },
  bytes: { accepts: (value) => value instanceof Uint8Array, expected: 'bytes' },
  json: { accepts: (value) => isJson(value, 0), expected: 'plain JSON' },
};

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0');
}

function isInstant(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= FIRST_INSTANT && Number(value) <= LAST_INSTANT;
}

function isJson(value: unknown, depth: number): boolean {
  if (depth > MAX_JSON_DEPTH) return false;
  if (value === null || typeof value === 'boolean') return true;
  if (typeof value === 'string') return isText(value);
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1));
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.entries(value).every(
    ([key, item]) => isText(key) && (item === undefined || isJson(item, depth + 1)),
  );
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value instanceof Uint8Array) return value.byteLength;
  return typeof value === 'object' && value !== null ? Buffer.byteLength(JSON.stringify(value)) : 16;
}
