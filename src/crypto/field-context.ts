import { CryptoError } from './errors.ts';

/**
 * Where a sealed field belongs. All of it is bound into the field: copied to another place it does not open.
 * Texts are 1 to 1,500 bytes of UTF-8.
 */
export interface FieldPlace {
  readonly tenant: string;
  /** Whose data key it is: a person, a household, an account. */
  readonly subject: string;
  /** A Firestore collection path or a table's name. */
  readonly collection: string;
  /** A Firestore document id or a row's primary key. */
  readonly document: string;
  /** Version of the document's shape, u32. Raise it when older code would misread a field. */
  readonly schema: number;
  /**
   * The document's own counter, up to 2^53 - 1, kept beside it in clear and raised with each write: fields of two
   * revisions do not open together. Always 0 if you seal fields one at a time.
   */
  readonly revision: number;
}

/** A step from a document to a field: a map's key or an array's index. */
export type FieldStep = string | number;

const DOMAIN = 'chartseal/field/1';
const MAX_TEXT = 1_500;

/**
 * Encodes the contexts of one document's fields: `u8 id ‖ u16 length ‖ bytes` for each part in fixed order, as in
 * `context.ts` and under a domain of its own, so that no field's context is ever a chart value's.
 *
 * @throws CryptoError `CONTEXT` when a part of `place` is missing or malformed.
 */
export function fieldContexts(place: FieldPlace): (path: readonly FieldStep[]) => Buffer {
  const parts = [
    Buffer.from(DOMAIN, 'latin1'),
    text(place.tenant, 'tenant'),
    text(place.subject, 'subject'),
    text(place.collection, 'collection'),
    text(place.document, 'document'),
    integer(place.schema, 4, 'schema'),
    integer(place.revision, 8, 'revision'),
  ];
  const head = encodeParts(parts);
  return (path) => Buffer.concat([head, part(parts.length + 1, encodePath(path))]);
}

/** The parts in order, each as `u8 id ‖ u16 length ‖ bytes`; ids count from 1. No two lists encode alike. */
export function encodeParts(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts.map((bytes, index) => part(index + 1, bytes)));
}

/** Each step with its kind, so that key `0` and index 0 differ, and `a.b` differs from `a` then `b`. */
function encodePath(path: readonly FieldStep[]): Buffer {
  return Buffer.concat(
    path.map((step) =>
      typeof step === 'number'
        ? part(2, integer(step, 4, 'array index'))
        : part(1, Buffer.from(step, 'utf8')),
    ),
  );
}

function part(id: number, bytes: Buffer): Buffer {
  const head = Buffer.allocUnsafe(3);
  head.writeUInt8(id, 0);
  head.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function text(value: unknown, name: string): Buffer {
  const bytes = typeof value === 'string' && value.isWellFormed() ? Buffer.from(value, 'utf8') : null;
  if (bytes === null || bytes.length === 0 || bytes.length > MAX_TEXT) throw malformed(name);
  return bytes;
}

function integer(value: unknown, size: 4 | 8, name: string): Buffer {
  const max = size === 4 ? 0xffffffff : Number.MAX_SAFE_INTEGER;
  if (!Number.isSafeInteger(value) || Number(value) < 0 || Number(value) > max) throw malformed(name);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(Number(value)));
  return bytes.subarray(8 - size);
}

const malformed = (name: string): CryptoError =>
  new CryptoError('CONTEXT', `The place's ${name} is missing or malformed. Pass every part of the place.`);
