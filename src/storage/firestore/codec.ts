import { type DocumentData, Timestamp } from 'firebase-admin/firestore';
import type { Collection, Columns, ColumnType, JsonValue, Row } from '../../kernel/collection.ts';
import { rowShape } from '../errors.ts';
import { baseOf, checkValue, isOptional } from '../rows.ts';

/** A checked row → the fields of its document. JSON is kept as text: Firestore has no nested arrays. */
export function toDocument(of: Collection, row: Row<Columns>): DocumentData {
  return Object.fromEntries(
    Object.entries(of.columns).map(([column, type]) => [column, toField(type, row[column] ?? null)]),
  );
}

/** One value as it is stored; also the form in which a filter must name it. */
export function toField(type: ColumnType, value: unknown): unknown {
  if (value === null && (isOptional(type) || baseOf(type) !== 'json')) return null;
  switch (baseOf(type)) {
    case 'instant':
      return Timestamp.fromMillis(value as number);
    case 'bytes':
      return Buffer.from(value as Uint8Array);
    case 'json':
      return JSON.stringify(value);
    default:
      return value;
  }
}

/** The fields of a document → the row, checked. A column that was added later and may be null reads as null. */
export function fromDocument<C extends Columns>(of: Collection<C>, data: DocumentData): Row<C> {
  const row: Record<string, unknown> = {};
  for (const [column, type] of Object.entries(of.columns)) {
    const field: unknown = data[column] ?? null;
    row[column] = checkValue(of.name, column, type, fromField(of.name, column, type, field));
  }
  return row as Row<C>;
}

function fromField(collection: string, column: string, type: ColumnType, field: unknown): unknown {
  if (field === null) return null;
  switch (baseOf(type)) {
    case 'instant':
      return field instanceof Timestamp ? field.toMillis() : undefined;
    case 'bytes':
      return field instanceof Uint8Array ? new Uint8Array(field) : undefined;
    case 'json':
      return parseJson(collection, column, field);
    default:
      return field;
  }
}

function parseJson(collection: string, column: string, field: unknown): JsonValue {
  try {
    if (typeof field === 'string') return JSON.parse(field) as JsonValue;
  } catch {
    // Falls through: a SyntaxError would quote what is stored.
  }
  throw rowShape(collection, column, 'JSON text');
}
