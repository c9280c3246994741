import { hash } from 'node:crypto';
import { collection, type Row, ref } from '../kernel/collection.ts';
import { randomId } from '../kernel/ids.ts';
import { type CollectionName, type Compartment, encodeContext, type SealContext, WHOLE } from './context.ts';
import { CryptoError } from './errors.ts';
import type { PatientRef } from './patient-keys.ts';
import { type DataKey, keyVersionOf, MAX_PLAINTEXT, open, seal } from './sealed-value.ts';

/**
 * One value of a chart as rows: one row for a value up to 512 KiB, else a row for each chunk. Every row is sealed
 * for its own place, and the entry that goes into the manifest covers them all.
 */

/** Everything sealed that belongs to a patient, one row a value or chunk. Only the place is in clear. */
export const chartValues = collection('chartValues', {
  patient: 'text',
  collection: 'text',
  document: 'text',
  compartment: 'text',
  schema: 'integer',
  revision: 'integer',
  sealed: 'bytes',
});

export type ValueRow = Row<typeof chartValues.columns>;

/** Which value of a chart: a compartment of a document of a collection. */
export interface ValueName {
  readonly collection: CollectionName;
  readonly document: string;
  readonly compartment: Compartment;
}

/** What the manifest says of a value. */
export interface ValueEntry {
  /** {@link digestOf} its sealed bytes, or {@link chunkedDigestOf} its chunks. */
  readonly digest: string;
  /** `whole`, or a random id of the write that made these chunks. */
  readonly chunkSet: string;
  readonly chunkCount: number;
}

/** A chart is written in one transaction, so its values together are at most 8 MiB; that is a value's limit too. */
export const MAX_WRITE = 8 * 1024 * 1024;

const CHUNKS_LABEL = 'chartseal/chunks/1\0';

export const valueId = (of: PatientRef, name: ValueName): string =>
  `${of.patient}-${name.collection}-${name.document}-${name.compartment}`;

/** Where a value's row is, and where its further chunks are: `…-1`, `…-2` and so on. */
export const valueRef = (of: PatientRef, name: ValueName, chunk = 0) =>
  ref(chartValues, chunk === 0 ? valueId(of, name) : `${valueId(of, name)}-${chunk}`);

/** The context of a value in one piece. */
export const wholeContext = (
  of: PatientRef,
  name: ValueName,
  at: { schema: number; revision: number },
): SealContext => ({ ...placeOf(of, name), schema: at.schema, revision: at.revision, ...WHOLE });

/** base64url(SHA-256(sealed bytes)): of a ciphertext, so it says nothing of what is inside. */
export const digestOf = (sealed: Uint8Array): string => hash('sha256', sealed, 'base64url');

/** base64url(SHA-256("chartseal/chunks/1\0" ‖ u32 count ‖ SHA-256(chunk 0) ‖ … ‖ SHA-256(last chunk))). */
export function chunkedDigestOf(chunks: readonly Uint8Array[]): string {
  const count = Buffer.allocUnsafe(4);
  count.writeUInt32BE(chunks.length);
  const digests = chunks.map((chunk) => hash('sha256', chunk, 'buffer'));
  return digestOf(Buffer.concat([Buffer.from(CHUNKS_LABEL, 'latin1'), count, ...digests]));
}

/** A value to be sealed: what, where, of which shape, and at which revision of the chart. */
export interface ValueToSeal {
  readonly of: PatientRef;
  readonly name: ValueName;
  readonly plaintext: Uint8Array;
  readonly schema: number;
  readonly revision: number;
  readonly key: DataKey;
}

/** A value to be opened: where it is, and what the manifest says of it. */
export interface ValueToOpen {
  readonly of: PatientRef;
  readonly name: ValueName;
  readonly entry: ValueEntry;
  readonly keyFor: (version: number) => DataKey | Promise<DataKey>;
}

/** @throws CryptoError `TOO_LARGE` over {@link MAX_WRITE}. */
export function sealValue(value: ValueToSeal): { rows: ValueRow[]; entry: ValueEntry } {
  const { of, name, plaintext, schema, revision, key } = value;
  if (plaintext.length > MAX_WRITE) throw tooLarge();
  const chunkCount = Math.max(1, Math.ceil(plaintext.length / MAX_PLAINTEXT));
  const chunkSet = chunkCount === 1 ? WHOLE.chunkSet : randomId('set');
  const place = { ...placeOf(of, name), schema, revision, chunkSet, chunkCount };
  const rows = Array.from({ length: chunkCount }, (_, chunkIndex): ValueRow => {
    const part = plaintext.subarray(chunkIndex * MAX_PLAINTEXT, (chunkIndex + 1) * MAX_PLAINTEXT);
    const sealed = seal(part, key, encodeContext({ ...place, chunkIndex }));
    return { patient: of.patient, ...named(name), schema, revision, sealed };
  });
  return { rows, entry: { digest: rowsDigest(rows), chunkSet, chunkCount } };
}

/**
 * Opens a value from all its rows, in order.
 *
 * @throws CryptoError `ROLLBACK` unless these are exactly the rows that the manifest's entry names (no key is asked
 * for then); what `open` throws.
 */
export async function openValue(rows: readonly (ValueRow | null)[], value: ValueToOpen): Promise<Buffer> {
  const { of, name, entry, keyFor } = value;
  const [first] = rows;
  if (!first || !areAll(rows, entry) || rowsDigest(rows) !== entry.digest) throw rolledBack();
  const key = await keyFor(keyVersionOf(first.sealed));
  const { chunkSet, chunkCount } = entry;
  const place = { ...placeOf(of, name), chunkSet, chunkCount };
  const parts = rows.map(({ schema, revision, sealed }, chunkIndex) =>
    open(sealed, key, encodeContext({ ...place, schema, revision, chunkIndex })),
  );
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = Buffer.concat(parts);
  for (const part of parts) part.fill(0);
  return whole;
}

const areAll = (rows: readonly (ValueRow | null)[], entry: ValueEntry): rows is readonly ValueRow[] =>
  rows.length === entry.chunkCount && rows.every((row) => row !== null);

function rowsDigest(rows: readonly ValueRow[]): string {
  const [first] = rows;
  return rows.length === 1 && first !== undefined
    ? digestOf(first.sealed)
    : chunkedDigestOf(rows.map(({ sealed }) => sealed));
}

const named = ({ collection: of, document, compartment }: ValueName): ValueName => ({
  collection: of,
  document,
  compartment,
});
const placeOf = (of: PatientRef, name: ValueName) => ({
  tenant: of.tenant,
  patient: of.patient,
  ...named(name),
});

export const rolledBack = (): CryptoError =>
  new CryptoError(
    'ROLLBACK',
    'A stored value is not the one its chart names. Compare the store with the audit log.',
  );

export const tooLarge = (): CryptoError =>
  new CryptoError(
    'TOO_LARGE',
    'One write to a chart holds at most 8 MiB. Store large files elsewhere, or write less at once.',
  );
