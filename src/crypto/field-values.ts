import {
  MAX_VALUE_BYTES,
  PADDING,
  tooLarge,
  unreadable,
  unsealable,
  ValueReader,
  ValueWriter,
} from './value-bytes.ts';

export { MAX_VALUE_BYTES };

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

/** How deep arrays and maps of one value may nest. */
export const MAX_VALUE_DEPTH = 32;

/**
 * @throws InputError `INPUT` for what would not come back as it is: a class instance, a function, an invalid date,
 *   an unpaired surrogate, `undefined` in an array, a key `__proto__`.
 * @throws CryptoError `TOO_LARGE` over {@link MAX_VALUE_BYTES} or {@link MAX_VALUE_DEPTH}.
 */
export function encodeValue(value: FieldValue): Buffer {
  const long = typeof value === 'string' || value instanceof Uint8Array;
  const out = new ValueWriter(64 + (long ? value.length : 192));
  out.byte(VERSION);
  write(out, value, 0);
  return out.finish();
}

/** @throws CryptoError `FORMAT` unless the bytes are exactly what {@link encodeValue} writes. */
export function decodeValue(bytes: Uint8Array): FieldValue {
  const input = new ValueReader(bytes);
  if (bytes.length % PADDING !== 0 || input.byte() !== VERSION) throw unreadable();
  const value = read(input, 0);
  input.finish();
  return value;
}

function write(out: ValueWriter, value: unknown, depth: number): ValueWriter {
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

function writeBigint(out: ValueWriter, value: bigint): ValueWriter {
  const hex = (value < 0n ? -value : value).toString(16);
  const even = value === 0n ? '' : hex.padStart(hex.length + (hex.length % 2), '0');
  return out
    .byte(TAG.bigint)
    .byte(value < 0n ? 1 : 0)
    .bytes(Buffer.from(even, 'hex'));
}

function writeObject(out: ValueWriter, value: object, depth: number): ValueWriter {
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

function read(input: ValueReader, depth: number): FieldValue {
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

function readBigint(input: ValueReader): bigint {
  const sign = input.byte();
  const magnitude = input.bytes();
  if (sign > 1 || magnitude[0] === 0 || (sign === 1 && magnitude.length === 0)) throw unreadable();
  const value = BigInt(`0x0${magnitude.toString('hex')}`);
  return sign === 1 ? -value : value;
}

function readDate(input: ValueReader): Date {
  const date = new Date(input.float());
  if (Number.isNaN(date.getTime())) throw unreadable();
  return date;
}

function readMap(input: ValueReader, depth: number): FieldValue {
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
