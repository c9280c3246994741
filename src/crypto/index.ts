/**
 * `chartseal/crypto`: sealed fields for any document, without the rest of Chartseal.
 *
 * Start with {@link sealFields} and {@link DataKeys}; `examples/firestore.ts` and `examples/postgres.ts` are whole
 * programs. Everything throws errors with stable codes: {@link CryptoErrorCode}, {@link InputErrorCode}.
 */

export { ChartsealError, InputError, type InputErrorCode } from '../kernel/errors.ts';
export {
  DEFAULT_INDEX_BITS,
  INDEX_PURPOSES,
  type IndexBits,
  type IndexPurpose,
  indexTag,
} from './blind-index.ts';
export { DataKeys, type KeyEnvelope } from './data-keys.ts';
export { CryptoError, type CryptoErrorCode } from './errors.ts';
export type { FieldPlace } from './field-context.ts';
export { MAX_SEALED_FIELDS } from './field-paths.ts';
export type { FieldPath, OpenedFields, Sealed, SealedFields } from './field-types.ts';
export { type FieldValue, MAX_VALUE_BYTES, MAX_VALUE_DEPTH } from './field-values.ts';
export { type OpenFieldsOptions, openFields, type SealFieldsOptions, sealFields } from './fields.ts';
export { DEFAULT_KEY_CACHE, KeyCache, type KeyCacheBounds } from './key-cache.ts';
export { type EncryptionContext, type GeneratedKey, Keyring, type WrappedKey } from './keyring.ts';
export { type GoogleWebIdentityOptions, googleWebIdentity } from './kms-google-credentials.ts';
export { KmsKeyring, type KmsKeyringOptions } from './kms-keyring.ts';
export {
  decryptWithKms,
  encryptWithKms,
  MAX_SMALL_VALUE,
  type SmallValueOptions,
} from './kms-small-values.ts';
export { isLegacyEnvelope, openLegacyEnvelope, openLegacyKey } from './legacy/envelope.ts';
export { type RegistryRecord, readKeyRegistry } from './legacy/key-registry.ts';
export { type Migrated, type MigrateOptions, migrateDocument } from './legacy/migrate.ts';
export {
  type DecryptDataKey,
  type LegacyEncoding,
  type LegacyKmsOptions,
  parseLegacyPlaintext,
} from './legacy/parts.ts';
export { isLegacyPayload, type LegacyPayloadOptions, openLegacyPayload } from './legacy/payload.ts';
export { type LocalKey, LocalKeyring, localKeyId } from './local-keyring.ts';
export {
  normaliseDate,
  normaliseEmail,
  normaliseName,
  normalisePhone,
  normaliseRecordNumber,
  normaliseYear,
} from './normalise.ts';
export { type DataKey, SEAL_OVERHEAD } from './sealed-value.ts';
