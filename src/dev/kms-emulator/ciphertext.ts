import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { KmsError } from './errors.ts';

/**
 * The emulator's own ciphertext blob (AWS documents none):
 *
 *     0: "CKMS" | 4: version 01 | 5: key id length u8 | 6: key id | material id 32 | IV 12 | ciphertext | tag 16
 *
 * AES-256-GCM; the additional data is the whole header up to the IV, then the canonical encryption context.
 */
const MAGIC = Buffer.from('CKMS\u0001', 'latin1');
const MATERIAL_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** An encryption context: text to text, order without meaning. */
export type EncryptionContext = Readonly<Record<string, string>>;

/** What a blob says of itself before it is opened. */
export interface ParsedBlob {
  readonly keyId: string;
  /** 64 hex characters. */
  readonly materialId: string;
  readonly header: Buffer;
  readonly iv: Buffer;
  readonly sealed: Buffer;
  readonly tag: Buffer;
}

/**
 * One encoding for one context: the pairs sorted by their UTF-8 bytes, each key and value after its u32 length.
 * So `{a:"bc"}` and `{ab:"c"}` differ, and so do one pair and two.
 */
export function canonicalContext(context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).map(
    ([key, value]) => [Buffer.from(key), Buffer.from(value)] as const,
  );
  pairs.sort(([a], [b]) => Buffer.compare(a, b));
  return Buffer.concat(pairs.flatMap(([key, value]) => [u32(key.length), key, u32(value.length), value]));
}

/** Encrypts under one key material. `secret` has 32 bytes, `materialId` 64 hex characters. */
export function sealBlob(
  key: { keyId: string; materialId: string; secret: Buffer },
  plaintext: Uint8Array,
  context: EncryptionContext,
): Buffer {
  const id = Buffer.from(key.keyId);
  const header = Buffer.concat([MAGIC, Buffer.of(id.length), id, Buffer.from(key.materialId, 'hex')]);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key.secret), iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.concat([header, canonicalContext(context)]));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([header, iv, sealed, cipher.getAuthTag()]);
}

/** @throws KmsError `InvalidCiphertextException` when the bytes are no blob of this emulator. */
export function parseBlob(blob: Buffer): ParsedBlob {
  const idEnd = MAGIC.length + 1 + (blob[MAGIC.length] ?? 0);
  const headerEnd = idEnd + MATERIAL_BYTES;
  const ivEnd = headerEnd + IV_BYTES;
  if (!blob.subarray(0, MAGIC.length).equals(MAGIC) || blob.length < ivEnd + TAG_BYTES) throw notOurs();
  return {
    keyId: blob.toString('latin1', MAGIC.length + 1, idEnd),
    materialId: blob.toString('hex', idEnd, headerEnd),
    header: blob.subarray(0, headerEnd),
    iv: blob.subarray(headerEnd, ivEnd),
    sealed: blob.subarray(ivEnd, blob.length - TAG_BYTES),
    tag: blob.subarray(blob.length - TAG_BYTES),
  };
}

/** @throws KmsError `InvalidCiphertextException` when the context differs or a bit was changed. */
export function openBlob(blob: ParsedBlob, secret: Buffer, context: EncryptionContext): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(secret), blob.iv, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.concat([blob.header, canonicalContext(context)]));
  decipher.setAuthTag(blob.tag);
  try {
    return Buffer.concat([decipher.update(blob.sealed), decipher.final()]);
  } catch {
    throw notOurs();
  }
}

/** AWS says nothing in this message, so that it is no oracle; a developer gets the likely causes. */
export const notOurs = (): KmsError =>
  new KmsError(
    'InvalidCiphertextException',
    'The ciphertext does not open: it was changed, was made elsewhere, or the encryption context differs.',
  );

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
