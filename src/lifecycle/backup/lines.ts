import type { Collection, Columns, Row } from '../../kernel/collection.ts';
import type { Listed, TimeClaim } from '../../kernel/store.ts';

/**
 * Rows as lines of NDJSON: `{"id":…,"row":{…}}`. Bytes are base64; every other type of a column is JSON as it is. The
 * manifest names the types, so a row comes back exactly as it was.
 */

/** A line and its end. */
export function lineOf(of: Collection, { id, row }: Listed<Columns>): string {
  const fields = Object.entries(of.columns).map(([column, type]) => {
    const value = row[column];
    return [
      column,
      isBytes(type) && value !== null ? Buffer.from(value as Uint8Array).toString('base64') : value,
    ];
  });
  return `${JSON.stringify({ id, row: Object.fromEntries(fields) })}\n`;
}

export const claimLine = ({ resource, booking, from, to }: TimeClaim): string =>
  `${JSON.stringify({ resource, booking, from, to })}\n`;

/** Null for a line that is no row. Whether its values are what the columns want the store itself checks. */
export function rowOf(of: Collection, line: string): Listed<Columns> | null {
  const { id, row } = (parse(line) ?? {}) as { id?: unknown; row?: Record<string, unknown> };
  if (typeof id !== 'string' || row === null || typeof row !== 'object') return null;
  const fields = Object.entries(of.columns).map(([column, type]) => {
    // A column that was added since, and may be null, is null.
    const value = row[column] ?? null;
    return [column, isBytes(type) && typeof value === 'string' ? bytesOf(value) : value];
  });
  return { id, row: Object.fromEntries(fields) as Row<Columns> };
}

/** Null for a line that is no claim. */
export function claimOf(line: string): TimeClaim | null {
  const { resource, booking, from, to } = (parse(line) ?? {}) as Record<string, unknown>;
  const isClaim =
    typeof resource === 'string' &&
    typeof booking === 'string' &&
    Number.isSafeInteger(from) &&
    Number.isSafeInteger(to);
  return isClaim ? { resource, booking, from: Number(from), to: Number(to) } : null;
}

const isBytes = (type: string): boolean => type === 'bytes' || type === 'bytes?';
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
