import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { InputError } from '../kernel/errors.ts';

/**
 * Keyed hashes by which a value is found without being stored. Each purpose has a key of its own under the tenant's
 * index key, so that an e-mail's tag says nothing about a record number. What each tag still tells is in the
 * folder's README.
 */

/** What an index is for. Bound into its key: never rename or reuse one. */
export const INDEX_PURPOSES = ['mrn', 'email', 'phone', 'name-birth-date', 'surname-birth-year'] as const;
export type IndexPurpose = (typeof INDEX_PURPOSES)[number];

/** How many bits of a tag are kept. Fewer bits: more patients share a bucket, and each search opens more verifiers. */
export interface IndexBits {
  /** 4 to 32. */
  readonly nameBirthDate: number;
  /** 4 to 32. */
  readonly surnameBirthYear: number;
}

/**
 * For clinics of some 5,000 to 50,000 patients: a bucket holds one to twelve of them by name and birth date, 5 to 50
 * by surname and birth year.
 */
export const DEFAULT_INDEX_BITS: IndexBits = { nameBirthDate: 12, surnameBirthYear: 10 };

/** Tags of mrn, email and phone: no two values collide. */
export const EXACT_BITS = 128;

/**
 * The tag of normalised `parts` for a purpose, `bits` long, as base64url. `indexKey` is 256 random bits of one
 * tenant and index version.
 */
export function indexTag(
  indexKey: KeyObject,
  options: { purpose: IndexPurpose; parts: readonly string[]; bits?: number },
): string {
  const { purpose, parts, bits = EXACT_BITS } = options;
  const mac = createHmac('sha256', deriveIndexKey(indexKey, `tag/${purpose}/${bits}`));
  for (const text of parts) {
    const bytes = Buffer.from(text, 'utf8');
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes.length);
    mac.update(length).update(bytes);
  }
  return firstBits(mac.digest(), bits).toString('base64url');
}

/** A key under the tenant's index key, for one use: HMAC-SHA-256 over a label. */
export function deriveIndexKey(indexKey: KeyObject, label: string): KeyObject {
  return createSecretKey(createHmac('sha256', indexKey).update(`chartseal/index/1/${label}`).digest());
}

/** @throws InputError `INPUT` unless both are 4 to 32. */
export function requireIndexBits(bits: IndexBits): void {
  const sound = [bits.nameBirthDate, bits.surnameBirthYear].every(
    (count) => Number.isInteger(count) && count >= 4 && count <= 32,
  );
  if (!sound) throw new InputError('INPUT', 'A truncated index keeps 4 to 32 bits.');
}

function firstBits(digest: Buffer, bits: number): Buffer {
  const kept = Buffer.from(digest.subarray(0, Math.ceil(bits / 8)));
  const spare = kept.length * 8 - bits;
  const last = kept.length - 1;
  kept.writeUInt8((kept.readUInt8(last) >> spare) << spare, last);
  return kept;
}
