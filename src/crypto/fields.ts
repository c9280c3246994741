import { InputError } from '../kernel/errors.ts';
import { CryptoError } from './errors.ts';
import { type FieldPlace, fieldContexts } from './field-context.ts';
import { replaceFields } from './field-paths.ts';
import type { FieldPath, OpenedFields, SealedFields } from './field-types.ts';
import { decodeValue, encodeValue, type FieldValue } from './field-values.ts';
import { type DataKey, keyVersionOf, open, seal } from './sealed-value.ts';

/**
 * Field encryption for any document: a Firestore document, a PostgreSQL row. The fields to seal are named, never
 * guessed, on both sides: what stands in clear where a sealed field belongs is refused, so nobody who can write to
 * the database can pass a value off as one that was sealed.
 *
 * Not noticed: a sealed field that was removed, or a whole document put back to an earlier revision together with
 * its counter. Charts have a manifest for that (`open-chart.ts`).
 */

/** How to seal a document's fields. */
export interface SealFieldsOptions {
  readonly key: DataKey;
  readonly place: FieldPlace;
  /**
   * `bytes` (default) for Firestore and for `bytea` columns; `text` for what is stored as JSON, which has no bytes:
   * `sealed:` and base64url.
   */
  readonly as?: 'bytes' | 'text';
}

/** How to open a document's fields. */
export interface OpenFieldsOptions {
  /** One key for each version that the document's fields may be sealed under. */
  readonly keys: readonly DataKey[];
  readonly place: FieldPlace;
}

const TEXT_PREFIX = 'sealed:';

/**
 * A copy of `document` in which each of the fields named, if the document has it, is sealed. null is sealed as a
 * value; undefined means absent and stays so. Fields of up to 512 KiB, 1,000 a document.
 *
 * @throws InputError `INPUT` for a path that does not fit the document or a value that would not come back as it is.
 * @throws CryptoError `CONTEXT` for a malformed place, `TOO_LARGE` over a limit.
 */
export function sealFields<D extends object, const F extends FieldPath<D>>(
  document: D,
  fields: readonly F[],
  options: SealFieldsOptions,
): SealedFields<D, F> {
  const contextOf = fieldContexts(options.place);
  const sealed = replaceFields(document, fields, (value, path, name) =>
    namingField(name, () => sealField(value as FieldValue, contextOf(path), options)),
  );
  return sealed as SealedFields<D, F>;
}

/**
 * A copy of `document` in which each of the fields named, if the document has it, is opened. All open or none.
 * Bytes come back as a Buffer.
 *
 * @throws CryptoError `FORMAT` (not a sealed value), `COMMITMENT` (sealed for another place or under another key),
 *   `TAG` (changed), `KEY_MISSING` (no key of its version was given), `CONTEXT` (malformed place).
 * @throws InputError `INPUT` for a path that does not fit the document.
 */
export function openFields<S extends object, const F extends FieldPath<S>>(
  document: S,
  fields: readonly F[],
  options: OpenFieldsOptions,
): OpenedFields<S, F> {
  const contextOf = fieldContexts(options.place);
  const opened = replaceFields(document, fields, (value, path, name) =>
    namingField(name, () => openField(value, options.keys, contextOf(path))),
  );
  return opened as OpenedFields<S, F>;
}

/** Seals one field for the place that `context` encodes. */
export function sealField(
  value: FieldValue,
  context: Buffer,
  { key, as }: Pick<SealFieldsOptions, 'key' | 'as'>,
): Buffer | string {
  if (sealedBytes(value) !== null) throw alreadySealed();
  const plaintext = encodeValue(value);
  const sealed = seal(plaintext, key, context);
  plaintext.fill(0);
  return as === 'text' ? TEXT_PREFIX + sealed.toString('base64url') : sealed;
}

/** Opens one field with the key of its version. */
export function openField(value: unknown, keys: readonly DataKey[], context: Buffer): FieldValue {
  const sealed = sealedBytes(value);
  if (sealed === null)
    throw new CryptoError(
      'FORMAT',
      'It is not sealed. Somebody wrote it in clear, or it was never migrated.',
    );
  const version = keyVersionOf(sealed);
  const key = keys.find((one) => one.version === version);
  if (key === undefined)
    throw new CryptoError(
      'KEY_MISSING',
      'It is sealed under a key version that was not given. Load that key.',
    );
  const plaintext = open(sealed, key, context);
  try {
    return decodeValue(plaintext);
  } finally {
    plaintext.fill(0);
  }
}

/** The sealed bytes that a field holds, null when it holds anything else. */
export function sealedBytes(value: unknown): Uint8Array | null {
  const bytes = value instanceof Uint8Array ? value : fromText(value);
  if (bytes === null) return null;
  try {
    keyVersionOf(bytes);
    return bytes;
  } catch {
    return null;
  }
}

function fromText(value: unknown): Buffer | null {
  if (typeof value !== 'string' || !value.startsWith(TEXT_PREFIX)) return null;
  const text = value.slice(TEXT_PREFIX.length);
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

/** Says in an error which of the named fields it was. */
export function namingField<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const message = error instanceof Error ? `Field "${name}": ${error.message}` : '';
    if (error instanceof CryptoError) throw new CryptoError(error.code, message);
    if (error instanceof InputError) throw new InputError(error.code, message);
    throw error;
  }
}

const alreadySealed = (): InputError =>
  new InputError('INPUT', 'It is sealed already. Open it first, or leave it out.');
