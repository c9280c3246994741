import { CryptoError } from '../errors.ts';
import { type FieldPlace, fieldContexts } from '../field-context.ts';
import { replaceFields } from '../field-paths.ts';
import type { FieldValue } from '../field-values.ts';
import { namingField, openField, sealedBytes, sealField } from '../fields.ts';
import type { DataKey } from '../sealed-value.ts';

/** How to move one document to the sealed format. */
export interface MigrateOptions {
  /** The paths at which old values are, as for `sealFields`. */
  readonly fields: readonly string[];
  /** Opens an old value, by the readers in this folder. What it throws ends the migration of this document. */
  readonly read: (old: unknown, field: string) => FieldValue | Promise<FieldValue>;
  /** True for an old value; anything else that is not sealed is in clear. */
  readonly isOld: (value: unknown) => boolean;
  readonly key: DataKey;
  /** Keys of earlier migrations; fields that are sealed already must open with one of these or `key`. */
  readonly keys?: readonly DataKey[];
  readonly place: FieldPlace;
  readonly as?: 'bytes' | 'text';
  /** What to do with a value in clear at one of the paths: `refuse` (default) or `seal` it. */
  readonly inClear?: 'refuse' | 'seal';
}

/** The document in the sealed format, and what happened to its fields. */
export interface Migrated {
  readonly document: Record<string, unknown>;
  /** Fields that were old, or in clear, and are sealed now. None: nothing need be written. */
  readonly moved: number;
  /** Fields that were sealed already. */
  readonly kept: number;
}

/**
 * Moves one document's fields from an older format to the sealed one. Changes nothing itself: write the document that
 * it answers, on the condition that the stored one is still what was read. Called again with its own answer it moves
 * nothing. When any field does not open it throws, and there is no half-moved document.
 *
 * Whoever had the old keys could write old values: once a document is migrated, take only sealed fields from it.
 *
 * @throws CryptoError `FORMAT` for a value in clear, and what the readers, `sealFields` and `openFields` throw.
 */
export async function migrateDocument(
  document: Record<string, unknown>,
  options: MigrateOptions,
): Promise<Migrated> {
  const contextOf = fieldContexts(options.place);
  const found: { value: unknown; name: string; context: Buffer }[] = [];
  replaceFields(document, options.fields, (value, path, name) => {
    found.push({ value, name, context: contextOf(path) });
    return value;
  });
  const results: { value: unknown; moved: boolean }[] = [];
  for (const field of found) results.push(await migrateField(field, options));
  let next = 0;
  const migrated = replaceFields(document, options.fields, () => results[next++]?.value);
  const moved = results.filter((result) => result.moved).length;
  return { document: migrated as Record<string, unknown>, moved, kept: results.length - moved };
}

async function migrateField(
  field: { value: unknown; name: string; context: Buffer },
  options: MigrateOptions,
): Promise<{ value: unknown; moved: boolean }> {
  const { value, name, context } = field;
  if (sealedBytes(value) !== null) {
    namingField(name, () => openField(value, [options.key, ...(options.keys ?? [])], context));
    return { value, moved: false };
  }
  const plain = options.isOld(value) ? await options.read(value, name) : inClear(field, options);
  return { value: namingField(name, () => sealField(plain, context, options)), moved: true };
}

function inClear({ value, name }: { value: unknown; name: string }, options: MigrateOptions): FieldValue {
  if (options.inClear === 'seal') return value as FieldValue;
  throw new CryptoError(
    'FORMAT',
    `Field "${name}": It is in clear. Say inClear: 'seal' if that is expected.`,
  );
}
