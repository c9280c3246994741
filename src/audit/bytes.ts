/** Bytes as text and back, with nothing but what browsers and Node share: the verifier runs in both. */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const CODES = Uint8Array.from(ALPHABET, (char) => char.charCodeAt(0));
/** A multiple of three, so that chunks join. */
const CHUNK = 3_072;

export const toUtf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);

/** @throws TypeError when the bytes are not UTF-8. */
export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes);

/** base64url without padding. */
export function toBase64url(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) text += encodeChunk(bytes.subarray(at, at + CHUNK));
  return text;
}

/** In one step, since a string that is put together piece by piece is slow to look up. */
function encodeChunk(bytes: Uint8Array): string {
  const codes = new Array<number>(Math.ceil((bytes.length * 4) / 3));
  let out = 0;
  for (let at = 0; at < bytes.length; at += 3) {
    const bits = (byteAt(bytes, at) << 16) | (byteAt(bytes, at + 1) << 8) | byteAt(bytes, at + 2);
    codes[out++] = CODES[bits >> 18] ?? 0;
    codes[out++] = CODES[(bits >> 12) & 63] ?? 0;
    if (at + 1 < bytes.length) codes[out++] = CODES[(bits >> 6) & 63] ?? 0;
    if (at + 2 < bytes.length) codes[out++] = CODES[bits & 63] ?? 0;
  }
  return String.fromCharCode.apply(null, codes);
}

/** base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  const text = toBase64url(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** Null unless `text` is padded base64, written in the one way that `toBase64` writes it. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (!BASE64.test(text)) return null;
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return toBase64(bytes) === text ? bytes : null;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Nothing compared here is secret: hashes and signatures are published. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;
