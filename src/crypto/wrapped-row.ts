import type { Row } from '../kernel/collection.ts';
import type { WrappedKey } from './keyring.ts';

/** What is stored of every wrapped key. */
export const WRAPPED_COLUMNS = {
  /** The exact wrapping key: a KMS key ARN or a local key id. */
  keyId: 'text',
  wrapped: 'bytes',
  /** KMS's `KeyMaterialId` at the wrapping; null where it was not noted. No secret: it tells what a rewrap has left. */
  material: 'text?',
  createdAt: 'instant',
} as const;

type WrappedRow = Row<typeof WRAPPED_COLUMNS>;

export const wrappedRow = ({ keyId, blob, material = null }: WrappedKey, createdAt: number): WrappedRow => ({
  keyId,
  wrapped: blob,
  material,
  createdAt,
});

export const wrappedKeyOf = ({ keyId, wrapped, material }: Omit<WrappedRow, 'createdAt'>): WrappedKey => ({
  keyId,
  blob: wrapped,
  material,
});
