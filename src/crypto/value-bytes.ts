import { isUtf8 } from 'node:buffer';
import { InputError } from '../kernel/errors.ts';
import { CryptoError } from './errors.ts';

/** Bytes in and out for `field-values.ts`. Integers are big-endian; texts and bytes have a u32 length before them. */

/** The largest encoded value, in bytes: what one sealed value may hold. */
export const MAX_VALUE_BYTES = 524_288;
/** Encoded values are multiples of so many bytes. */
export const PADDING = 16;

/** Appends to a buffer that grows; what it held is wiped when it is left behind. */
export class ValueWriter {
  #buffer: Buffer;
  #at = 0;

  /** `expected` bytes are kept ready; more may be written. */
  constructor(expected: number) {
    this.#buffer = Buffer.alloc(Math.min(expected, MAX_VALUE_BYTES));
  }

  byte(value: number): this {
    this.#reserve(1);
    this.#at = this.#buffer.writeUInt8(value, this.#at);
    return this;
  }

  count(value: number): this {
    this.#reserve(4);
    this.#at = this.#buffer.writeUInt32BE(value, this.#at);
    return this;
  }

  float(value: number): this {
    this.#reserve(8);
    this.#at = this.#buffer.writeDoubleBE(value, this.#at);
    return this;
  }

  text(value: string): this {
    if (!value.isWellFormed()) throw unsealable('text with an unpaired surrogate');
    const length = Buffer.byteLength(value, 'utf8');
    this.count(length);
    this.#reserve(length);
    this.#at += this.#buffer.write(value, this.#at, length, 'utf8');
    return this;
  }

  bytes(value: Uint8Array): this {
    this.count(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** What was written, padded; the copy in the working buffer is wiped. */
  finish(): Buffer {
    const padded = Buffer.alloc(Math.ceil(this.#at / PADDING) * PADDING);
    this.#buffer.copy(padded, 0, 0, this.#at);
    this.#buffer.fill(0);
    return padded;
  }

  #reserve(more: number): void {
    const needed = this.#at + more;
    if (needed > MAX_VALUE_BYTES) throw tooLarge();
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.alloc(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer.fill(0);
    this.#buffer = larger;
  }
}

/** Takes from bytes that may be forged: it never reads past them and never allocates more than there is. */
export class ValueReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.#take(1).readUInt8();
  }

  /** Never more than the bytes that are left, so that a forged count costs nothing. */
  count(): number {
    const count = this.#take(4).readUInt32BE();
    if (count > this.#bytes.length - this.#at) throw unreadable();
    return count;
  }

  float(): number {
    return this.#take(8).readDoubleBE();
  }

  bytes(): Buffer {
    return this.#take(this.count());
  }

  text(): string {
    const bytes = this.bytes();
    if (!isUtf8(bytes)) throw unreadable();
    return bytes.toString('utf8');
  }

  finish(): void {
    const padding = this.#bytes.subarray(this.#at);
    if (padding.length >= PADDING || padding.some((byte) => byte !== 0)) throw unreadable();
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw unreadable();
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

/** A value that would not come back as it is. */
export const unsealable = (what: string): InputError =>
  new InputError(
    'INPUT',
    `A field holds ${what}, which would not come back as it is. Seal plain values: null, booleans, numbers, bigints, text, dates, bytes, arrays and maps of them.`,
  );
export const tooLarge = (): CryptoError =>
  new CryptoError('TOO_LARGE', 'A field is over 512 KiB or nests over 32 levels. Split it into several.');
export const unreadable = (): CryptoError =>
  new CryptoError('FORMAT', 'The opened bytes are not a field value that this version reads.');
