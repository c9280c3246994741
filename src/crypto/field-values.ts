import { InputError } from '../kernel/errors.ts';
import { CryptoError } from './errors.ts';

/**
 * Values as bytes, so that what is opened is exactly what was sealed: text that looks like JSON stays text, -0
 * and NaN stay themselves, a bigint stays a bigint, a Date a Date, null null.
 *
 * `encoding version 01 ‖ value ‖ zeros up to a multiple of 16 bytes`, where a value is a tag and what follows it.
 * The padding hides from the sealed length whether a field holds null, a boolean, a number, a date or a short
 * text. Tags and layout are frozen: values written once are read for as long as charts are kept.
 *
 * This file knows no key and no place: it neither encrypts nor authenticates.
 */

/** What a field may hold. In a map, `undefined` means absent, as it does at rest. */
export type FieldValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | readonly FieldValue[]
  | { readonly [key: string]: FieldValue | undefined };

const VERSION = 0x01;
const TAG = {
  null: 0x00,
  false: 0x01,
  true: 0x02,
  /** IEEE 754, 8 bytes. */
  number: 0x03,
  /** sign u8 (1 is negative) ‖ length u32 ‖ magnitude without leading zeros. */
  bigint: 0x04,
  /** length u32 ‖ UTF-8. */
  text: 0x05,
  /** milliseconds since the Unix epoch as IEEE 754, 8 bytes. */
  date: 0x06,
  /** length u32 ‖ bytes. */
  bytes: 0x07,
  /** count u32 ‖ values. */
  array: 0x08,
  /** count u32 ‖ (key length u32 ‖ UTF-8 ‖ value) in the order of the map. */
  map: 0x09,
} as const;
const PADDING = 16;

/** How deep arrays and maps of one value may nest. */
export const MAX_VALUE_DEPTH = 32;
/** The largest encoded value, in bytes: what one sealed value may hold. */
export const MAX_VALUE_BYTES = 524_288;

/**
 * @throws InputError `INPUT` for what would not come back as it is: a class instance, a function, an invalid date,
 *   an unpaired surrogate, `undefined` in an array, a key `__proto__`.
 * @throws CryptoError `TOO_LARGE` over {@link MAX_VALUE_BYTES} or {@link MAX_VALUE_DEPTH}.
 */
export function encodeValue(value: FieldValue): Buffer {
  const out = new Writer();
  out.byte(VERSION);
  write(out, value, 0);
  return out.finish();
}

/** @throws CryptoError `FORMAT` unless the bytes are exactly what {@link encodeValue} writes. */
export function decodeValue(bytes: Uint8Array): FieldValue {
  const input = new Reader(bytes);
  if (bytes.length % PADDING !== 0 || input.byte() !== VERSION) throw unreadable();
  const value = read(input, 0);
  input.finish();
  return value;
}

function write(out: Writer, value: unknown, depth: number): Writer {
  if (depth > MAX_VALUE_DEPTH) throw tooLarge();
  switch (typeof value) {
    case 'boolean':
      return out.byte(value ? TAG.true : TAG.false);
    case 'number':
      return out.byte(TAG.number).float(value);
    case 'bigint':
      return writeBigint(out, value);
    case 'string':
      return out.byte(TAG.text).text(value);
    case 'object':
      return value === null ? out.byte(TAG.null) : writeObject(out, value, depth);
    default:
      throw unsealable('a function, a symbol or undefined');
  }
}

function writeBigint(out: Writer, value: bigint): Writer {
  const hex = (value < 0n ? -value : value).toString(16);
  const even = value === 0n ? '' : hex.padStart(hex.length + (hex.length % 2), '0');
  return out
    .byte(TAG.bigint)
    .byte(value < 0n ? 1 : 0)
    .bytes(Buffer.from(even, 'hex'));
}

function writeObject(out: Writer, value: object, depth: number): Writer {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw unsealable('an invalid date');
    return out.byte(TAG.date).float(value.getTime());
  }
  if (value instanceof Uint8Array) return out.byte(TAG.bytes).bytes(value);
  if (Array.isArray(value)) {
    out.byte(TAG.array).count(value.length);
    for (const item of value) write(out, item, depth + 1);
    return out;
  }
  if (!isPlainObject(value)) throw unsealable('an instance of a class');
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  out.byte(TAG.map).count(entries.length);
  for (const [key, item] of entries) {
    if (key === '__proto__') throw unsealable('a key named __proto__');
    write(out.text(key), item, depth + 1);
  }
  return out;
}

function read(input: Reader, depth: number): FieldValue {
  if (depth > MAX_VALUE_DEPTH) throw unreadable();
  switch (input.byte()) {
    case TAG.null:
      return null;
    case TAG.false:
      return false;
    case TAG.true:
      return true;
    case TAG.number:
      return input.float();
    case TAG.bigint:
      return readBigint(input);
    case TAG.text:
      return input.text();
    case TAG.date:
      return readDate(input);
    case TAG.bytes:
      return Buffer.from(input.bytes());
    case TAG.array:
      return Array.from({ length: input.count() }, () => read(input, depth + 1));
    case TAG.map:
      return readMap(input, depth);
    default:
      throw unreadable();
  }
}

function readBigint(input: Reader): bigint {
  const sign = input.byte();
  const magnitude = input.bytes();
  if (sign > 1 || magnitude[0] === 0 || (sign === 1 && magnitude.length === 0)) throw unreadable();
  const value = BigInt(`0x0${magnitude.toString('hex')}`);
  return sign === 1 ? -value : value;
}

function readDate(input: Reader): Date {
  const date = new Date(input.float());
  if (Number.isNaN(date.getTime())) throw unreadable();
  return date;
}

function readMap(input: Reader, depth: number): FieldValue {
  const map: Record<string, FieldValue> = {};
  const count = input.count();
  for (let index = 0; index < count; index += 1) {
    const key = input.text();
    if (key === '__proto__' || Object.hasOwn(map, key)) throw unreadable();
    map[key] = read(input, depth + 1);
  }
  return map;
}

/** True for what `{}` and JSON.parse make, and for objects without a prototype. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

class Writer {
  #buffer = Buffer.alloc(256);
  #at = 0;

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
    return this.bytes(Buffer.from(value, 'utf8'));
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

class Reader {
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
    const text = bytes.toString('utf8');
    if (!Buffer.from(text, 'utf8').equals(bytes)) throw unreadable();
    return text;
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

const unsealable = (what: string): InputError =>
  new InputError(
    'INPUT',
    `A field holds ${what}, which would not come back as it is. Seal plain values: null, booleans, numbers, bigints, text, dates, bytes, arrays and maps of them.`,
  );
const tooLarge = (): CryptoError =>
  new CryptoError('TOO_LARGE', 'A field is over 512 KiB or nests over 32 levels. Split it into several.');
const unreadable = (): CryptoError =>
  new CryptoError('FORMAT', 'The opened bytes are not a field value that this version reads.');
