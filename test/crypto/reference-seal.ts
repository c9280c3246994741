/**
 * The sealed format a second time, from its description alone and on WebCrypto, so that a slip in the fast
 * implementation cannot hide in a test that uses the same code. It imports nothing of the project.
 */

export interface ReferenceContext {
  readonly tenant: string;
  readonly patient: string;
  readonly collection: string;
  readonly document: string;
  readonly compartment: string;
  readonly schema: number;
  readonly revision: number;
  readonly chunkSet: string;
  readonly chunkIndex: number;
  readonly chunkCount: number;
}

export interface ReferenceKey {
  readonly version: number;
  /** 32 bytes. */
  readonly raw: Uint8Array;
}

type Bytes = Uint8Array<ArrayBuffer>;
const { subtle } = globalThis.crypto;
const ascii = (text: string): Bytes => new Uint8Array([...text].map((letter) => letter.charCodeAt(0)));

function bigEndian(value: number, bytes: number): Bytes {
  const hex = value.toString(16).padStart(bytes * 2, '0');
  return new Uint8Array(hex.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? []);
}

export function join(...parts: readonly Uint8Array[]): Bytes {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** For each field, in order: one byte id from 1, two bytes length, the bytes. */
export function referenceContext(context: ReferenceContext): Bytes {
  const fields = [
    ascii('chartseal/1'),
    ascii(context.tenant),
    ascii(context.patient),
    ascii(context.collection),
    ascii(context.document),
    ascii(context.compartment),
    bigEndian(context.schema, 4),
    bigEndian(context.revision, 8),
    ascii(context.chunkSet),
    bigEndian(context.chunkIndex, 4),
    bigEndian(context.chunkCount, 4),
  ];
  return join(
    ...fields.map((field, index) => join(bigEndian(index + 1, 1), bigEndian(field.length, 2), field)),
  );
}

/** Magic C5, suite 01, flags 0, key version, salt. */
export const referenceHeader = (version: number, salt: Uint8Array): Bytes =>
  join(new Uint8Array([0xc5, 0x01, 0, 0]), bigEndian(version, 4), salt);

/** HMAC-SHA-512(key, "chartseal/kdf/1\0" ‖ header ‖ SHA-256(context)), cut into the value's key and the commitment. */
export async function referenceDerive(raw: Uint8Array, header: Uint8Array, context: Uint8Array) {
  const hmac = await subtle.importKey('raw', join(raw), { name: 'HMAC', hash: 'SHA-512' }, false, ['sign']);
  const digest = new Uint8Array(await subtle.digest('SHA-256', join(context)));
  const input = join(ascii('chartseal/kdf/1\0'), header, digest);
  const okm = new Uint8Array(await subtle.sign('HMAC', hmac, input));
  return { valueKey: okm.slice(0, 32), commitment: okm.slice(32, 64) };
}

export async function referenceSeal(
  plaintext: Uint8Array,
  options: { key: ReferenceKey; context: ReferenceContext; salt: Uint8Array },
): Promise<Bytes> {
  const context = referenceContext(options.context);
  const header = referenceHeader(options.key.version, options.salt);
  const { valueKey, commitment } = await referenceDerive(options.key.raw, header, context);
  const gcm = await subtle.importKey('raw', valueKey, 'AES-GCM', false, ['encrypt']);
  const additionalData = join(header, commitment, context);
  const algorithm = { name: 'AES-GCM', iv: join(options.salt.slice(0, 12)), additionalData, tagLength: 128 };
  const boxed = new Uint8Array(await subtle.encrypt(algorithm, gcm, join(plaintext)));
  return join(header, commitment, boxed);
}

/** Rejects when anything at all is not right; it does not say what. */
export async function referenceOpen(
  sealed: Uint8Array,
  options: { key: ReferenceKey; context: ReferenceContext },
): Promise<Bytes> {
  const context = referenceContext(options.context);
  const salt = sealed.slice(8, 24);
  const header = referenceHeader(options.key.version, salt);
  const { valueKey, commitment } = await referenceDerive(options.key.raw, header, context);
  const expected = join(header, commitment);
  if (!expected.every((byte, index) => sealed[index] === byte)) throw new Error('refused');
  const gcm = await subtle.importKey('raw', valueKey, 'AES-GCM', false, ['decrypt']);
  const additionalData = join(expected, context);
  const algorithm = { name: 'AES-GCM', iv: join(salt.slice(0, 12)), additionalData, tagLength: 128 };
  return new Uint8Array(await subtle.decrypt(algorithm, gcm, join(sealed.slice(56))));
}
