/**
 * A collection is declared once, beside the module that owns it: its name, its columns and their types. Both
 * store adapters take the shape from there, so a row cannot have one form in Firestore and another in
 * PostgreSQL, and a reader of the owner sees exactly what is stored.
 *
 * Columns never hold PHI: what identifies or describes a patient is inside a `bytes` column, sealed.
 */

interface ColumnTypes {
  text: string;
  /** A safe integer. */
  integer: number;
  boolean: boolean;
  /** Milliseconds since the Unix epoch; a Firestore Timestamp or a `timestamptz` at rest. */
  instant: number;
  bytes: Uint8Array;
  /** Plain JSON without PHI: clinic configuration, protocol state. */
  json: JsonValue;
}

/** What JSON can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** A column's type; a trailing `?` allows null. */
export type ColumnType = keyof ColumnTypes | `${keyof ColumnTypes}?`;
/** Column name → type. Names are camelCase, `[a-z][A-Za-z0-9]{0,30}`. */
export type Columns = Readonly<Record<string, ColumnType>>;

type Value<T extends ColumnType> = T extends `${infer Base extends keyof ColumnTypes}?`
  ? ColumnTypes[Base] | null
  : T extends keyof ColumnTypes
    ? ColumnTypes[T]
    : never;

/** The row that a collection with these columns stores. Every column is present; optional ones may be null. */
export type Row<C extends Columns> = { readonly [K in keyof C]: Value<C[K]> };

/**
 * What may become of a row once it is there, by rights that the database itself enforces: `any`; `delete-only`, it is
 * never written again; `never`, it stays as it was created. Only the database's owner is above it.
 */
export type Changes = 'any' | 'delete-only' | 'never';

/** A named set of rows of one shape. */
export interface Collection<C extends Columns = Columns> {
  readonly name: string;
  readonly columns: C;
  /** `any` unless given. */
  readonly changes?: Changes;
  /** Columns by which many rows are searched often: PostgreSQL keeps an index of each. Firestore has one of every column. */
  readonly indexed?: readonly string[];
}

/** The address of one row of a collection, within a tenant. `id` matches `[A-Za-z0-9_-]{1,128}`. */
export interface Ref<C extends Columns = Columns> {
  readonly collection: Collection<C>;
  readonly id: string;
}

/** Declares a collection. `name` is camelCase and never reused for another shape. */
export function collection<const C extends Columns>(
  name: string,
  columns: C,
  {
    changes = 'any',
    indexed = [],
  }: { readonly changes?: Changes; readonly indexed?: readonly (keyof C & string)[] } = {},
): Collection<C> {
  return Object.freeze({ name, columns: Object.freeze(columns), changes, indexed });
}

/** The address of the row `id` of `of`. */
export function ref<C extends Columns>(of: Collection<C>, id: string): Ref<C> {
  return { collection: of, id };
}
