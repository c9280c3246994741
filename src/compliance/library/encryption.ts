import { replaceFields } from '../../crypto/field-paths.ts';
import { isPlainObject } from '../../crypto/field-values.ts';
import { sealedBytes } from '../../crypto/fields.ts';
import { InputError } from '../../kernel/errors.ts';
import { STORED_VALUES } from '../checks/encryption.ts';
import { PlaintextCells, SealedCells } from '../scan/cells.ts';
import { readableText } from '../scan/shapes.ts';
import type { Finding } from './finding.ts';
import { findingsOf } from './judge.ts';

/** One collection or table as it is stored. */
export interface StoredCollection {
  readonly name: string;
  /** The fields that must be sealed, by the paths that `sealFields` takes: `name`, `contact.phone`, `visits.*.note`. */
  readonly sealed: readonly string[];
  /** Top-level fields that say what the house tells everybody: names, telephones and days in them are no person's. */
  readonly public?: readonly string[];
  /** Rows exactly as the database gives them. One is in memory at a time. */
  readonly rows: AsyncIterable<StoredRow> | Iterable<StoredRow>;
}

/** One row: an id that may be reported, and its fields as they are stored. */
export interface StoredRow {
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** How {@link checkEncryptionAtRest} looks. */
export interface EncryptionOptions {
  /** True when `rows` are a sample; the evidence says so. */
  readonly isSample?: boolean;
  /** Hears how many rows were seen. */
  readonly onProgress?: (seen: number, collection: string) => void;
}

/**
 * Looks at stored rows: `sealed-values` (each field named is in the format of `chartseal/crypto`), `no-plaintext-phi` and
 * `no-card-numbers` (known shapes in every other field; a name in one word is not found by looking), and
 * `no-readable-bytes`. Opens nothing and needs no key.
 *
 * @throws InputError `INPUT` for a path that is malformed or named twice, and for fields that are no plain object.
 */
export async function checkEncryptionAtRest(
  collections: readonly StoredCollection[],
  { isSample = false, onProgress }: EncryptionOptions = {},
): Promise<Finding[]> {
  const watch = { sealed: new SealedCells(), plaintext: new PlaintextCells() };
  let seen = 0;
  for (const collection of collections) {
    // Also where there is no row: a wrong path is said at once.
    if (collection.sealed.length > 0) replaceFields({}, collection.sealed, () => undefined);
    for await (const row of collection.rows) {
      seen += 1;
      seeRow(watch, collection, row);
      onProgress?.(seen, collection.name);
    }
  }
  const rows = { seen, isPartial: isSample, sealed: watch.sealed.facts, plaintext: watch.plaintext.facts };
  return findingsOf(STORED_VALUES, { rows });
}

interface Watch {
  readonly sealed: SealedCells;
  readonly plaintext: PlaintextCells;
}

function seeRow(watch: Watch, collection: StoredCollection, { id, fields }: StoredRow): void {
  if (!isPlainObject(fields))
    throw new InputError('INPUT', `A row of ${collection.name} is no plain object.`);
  const rest = withoutSealed(watch, collection, { id, fields });
  for (const [field, value] of Object.entries(rest)) {
    if (value === undefined) continue;
    const column = `${collection.name}.${field}`;
    const text = textOf(value, (bytes) => watch.sealed.seeBytes(column, id, bytes));
    watch.plaintext.see(column, id, { text, isPublic: collection.public?.includes(field) ?? false });
  }
}

/** The row without what is sealed. What should be and is not stays, and is searched as well. */
function withoutSealed(
  { sealed }: Watch,
  { name, sealed: paths }: StoredCollection,
  { id, fields }: StoredRow,
): Readonly<Record<string, unknown>> {
  if (paths.length === 0) return fields;
  try {
    return replaceFields(fields, paths, (value, _path, field) => {
      sealed.see(`${name}.${field}`, id, value);
      return sealedBytes(value) === null ? value : undefined;
    }) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    // The paths were sound: this row has something else where a sealed field belongs.
    sealed.see(name, id, null);
    return fields;
  }
}

/** A field as one text to be searched: what lies deeper too, by its names. Bytes are looked at on the way. */
function textOf(value: unknown, seeBytes: (bytes: Uint8Array) => void): string {
  if (typeof value === 'string') return value;
  return JSON.stringify({ value }, function (this: Record<string, unknown>, key, given: unknown) {
    // As it is stored: bytes and times have been turned into something else by now.
    const raw = this[key];
    if (raw instanceof Uint8Array) {
      seeBytes(raw);
      return readableText(raw) ?? undefined;
    }
    if (typeof raw === 'bigint') return String(raw);
    const isLeaf = typeof raw !== 'object' || raw === null || raw instanceof Date;
    // A database's own classes, which may lead anywhere.
    return isLeaf || Array.isArray(raw) || isPlainObject(raw) ? given : undefined;
  });
}
