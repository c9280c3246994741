import type { KeyObject } from 'node:crypto';
import { CryptoError } from '../errors.ts';
import { decodeBytes, type LegacyEncoding, membersOf, requireLegacyAlgorithm, secretOf } from './parts.ts';

/** One document of an `_encryption_keys` collection, with its id. */
export interface RegistryRecord {
  readonly id: string;
  readonly data: unknown;
}

/**
 * The keys of an `_encryption_keys` collection that holds them in clear: `{ key, version?, algorithm?, … }`, the
 * document's id where there is no version. Retired ones too: old values may need them.
 *
 * Whoever could read the database had these keys. Migrate what they encrypted, then delete the collection and its
 * backups: until then the old values count as stored in clear.
 *
 * @throws CryptoError `FORMAT` when a record is no 256-bit key, names another algorithm, or repeats a version.
 */
export function readKeyRegistry(
  records: Iterable<RegistryRecord>,
  options: { readonly encoding: LegacyEncoding },
): Map<string, KeyObject> {
  const keys = new Map<string, KeyObject>();
  for (const { id, data } of records) {
    const record = membersOf(data, ['key']);
    if (record['algorithm'] !== undefined) requireLegacyAlgorithm(record['algorithm']);
    const version = String(record['version'] ?? id);
    if (keys.has(version))
      throw new CryptoError(
        'FORMAT',
        'Two old keys have one version. Take out the one that does not belong.',
      );
    keys.set(version, secretOf(decodeBytes(record['key'], options.encoding)));
  }
  return keys;
}
