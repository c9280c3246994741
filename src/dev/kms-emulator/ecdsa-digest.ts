import { createECDH, type KeyObject, randomBytes } from 'node:crypto';

/**
 * ECDSA over P-256 of a digest that was made elsewhere, which node:crypto does not offer (it always hashes).
 * Plain big integers, not constant time: for keys of a development emulator only.
 */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** A DER signature of a 32-byte digest. */
export function signDigest(key: KeyObject, digest: Buffer): Buffer {
  const d = scalarOf(key);
  for (;;) {
    const k = toInteger(randomBytes(32));
    if (k === 0n || k >= ORDER) continue;
    const r = xOf(k) % ORDER;
    const s = mod(inverse(k) * (toInteger(digest) + r * d));
    if (r !== 0n && s !== 0n) return encodeDer(r, s);
  }
}

/**
 * True when `signature` is DER and signs `digest`. The holder of the private scalar d can fold the two point
 * multiplications of FIPS 186-5 §6.4.2 into one: u1·G + u2·Q = (u1 + u2·d)·G.
 */
export function verifyDigest(key: KeyObject, digest: Buffer, signature: Buffer): boolean {
  const pair = decodeDer(signature);
  if (pair === null) return false;
  const [r, s] = pair;
  if (r === 0n || s === 0n || r >= ORDER || s >= ORDER) return false;
  const k = mod(inverse(s) * (toInteger(digest) + r * scalarOf(key)));
  return k !== 0n && xOf(k) % ORDER === r;
}

function scalarOf(key: KeyObject): bigint {
  const { d } = key.export({ format: 'jwk' });
  return toInteger(Buffer.from(d ?? '', 'base64url'));
}

function xOf(k: bigint): bigint {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(Buffer.from(k.toString(16).padStart(64, '0'), 'hex'));
  return toInteger(curve.getPublicKey().subarray(1, 33));
}

function inverse(value: bigint): bigint {
  // Fermat: the order is prime, so value^(order-2) is the inverse.
  let result = 1n;
  let base = mod(value);
  for (let exponent = ORDER - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = mod(result * base);
    base = mod(base * base);
  }
  return result;
}

const mod = (value: bigint): bigint => ((value % ORDER) + ORDER) % ORDER;
const toInteger = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex') || '0'}`);

function encodeDer(r: bigint, s: bigint): Buffer {
  const body = Buffer.concat([r, s].map(derInteger));
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

function derInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  const padded = (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
  return Buffer.concat([Buffer.of(0x02, padded.length), padded]);
}

function decodeDer(signature: Buffer): [bigint, bigint] | null {
  const lengthOfR = signature[3] ?? 0;
  const r = toInteger(signature.subarray(4, 4 + lengthOfR));
  const s = toInteger(signature.subarray(6 + lengthOfR));
  // Only the one encoding that these two numbers have is accepted.
  return encodeDer(r, s).equals(signature) ? [r, s] : null;
}
