/**
 * A ciphertext of one block that AES-GCM accepts under two keys: the attack on authenticated encryption that does
 * not commit to its key (Dodis, Grubbs, Ristenpart, Woodage 2018, in its smallest form). The tag is linear in the
 * ciphertext block, so the block at which both keys give one tag is the solution of one equation in GF(2^128).
 */
import { createCipheriv } from 'node:crypto';

const R = 0xe1n << 120n;

/** The product in GCM's field: bit 0 is the leftmost (NIST SP 800-38D, 6.3). */
function multiply(x: bigint, y: bigint): bigint {
  let z = 0n;
  let v = y;
  for (let bit = 127n; bit >= 0n; bit -= 1n) {
    if ((x >> bit) & 1n) z ^= v;
    v = v & 1n ? (v >> 1n) ^ R : v >> 1n;
  }
  return z;
}

/** x^(2^128 - 2). */
function inverse(x: bigint): bigint {
  let result = 1n << 127n;
  let square = x;
  for (let step = 1; step < 128; step += 1) {
    square = multiply(square, square);
    result = multiply(result, square);
  }
  return result;
}

const toInt = (block: Uint8Array): bigint => BigInt(`0x${Buffer.from(block).toString('hex') || '0'}`);
const toBlock = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(32, '0'), 'hex');

function encryptBlock(key: Uint8Array, block: Uint8Array): bigint {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return toInt(cipher.update(block));
}

function ghash(h: bigint, blocks: readonly bigint[]): bigint {
  return blocks.reduce((sum, block) => multiply(sum ^ block, h), 0n);
}

function blocksOf(aad: Uint8Array): bigint[] {
  const padded = Buffer.concat([aad, Buffer.alloc((16 - (aad.length % 16)) % 16)]);
  return Array.from({ length: padded.length / 16 }, (_, n) => toInt(padded.subarray(n * 16, n * 16 + 16)));
}

/** 16 bytes of ciphertext and the tag, valid under both keys with this IV and additional data. */
export function twoKeyCiphertext(
  keys: readonly [Uint8Array, Uint8Array],
  { iv, aad }: { readonly iv: Uint8Array; readonly aad: Uint8Array },
): Buffer {
  const lengths = (BigInt(aad.length * 8) << 64n) | 128n;
  const counter = Buffer.concat([iv, Buffer.from([0, 0, 0, 1])]);
  const parts = keys.map((key) => {
    const h = encryptBlock(key, Buffer.alloc(16));
    const rest = ghash(h, [...blocksOf(aad), 0n, lengths]) ^ encryptBlock(key, counter);
    return { rest, weight: multiply(h, h) };
  });
  const [a, b] = parts as [(typeof parts)[0], (typeof parts)[0]];
  const block = multiply(a.rest ^ b.rest, inverse(a.weight ^ b.weight));
  return Buffer.concat([toBlock(block), toBlock(a.rest ^ multiply(block, a.weight))]);
}
