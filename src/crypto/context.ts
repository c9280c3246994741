import type { PatientId, TenantId } from '../kernel/ids.ts';
import { CryptoError } from './errors.ts';

/** What a value may be a part of. The names are bound into every sealed value: never rename or reuse one. */
export const COLLECTIONS = [
  'charts',
  'appointments',
  'manifests',
  'idempotency',
  'documents',
  'requests',
  'exports',
  'cards',
] as const;
/** How a chart is cut: a tool opens only the parts that its policy decision names. Never rename or reuse one. */
export const COMPARTMENTS = [
  'demographics',
  'contact',
  'identifiers',
  'clinical',
  'sensitive',
  'financial',
  'scheduling',
  'manifest',
  'answer',
  'words',
  'file',
  'card',
] as const;

export type CollectionName = (typeof COLLECTIONS)[number];
export type Compartment = (typeof COMPARTMENTS)[number];

/** The one place in which a sealed value opens. Every field is mandatory. */
export interface SealContext {
  readonly tenant: TenantId;
  readonly patient: PatientId;
  readonly collection: CollectionName;
  readonly document: string;
  readonly compartment: Compartment;
  /** Version of the plaintext's shape, u32. */
  readonly schema: number;
  /** The chart's revision at which the value was written, up to 2^53 - 1. */
  readonly revision: number;
  /** Names the set of chunks that were written together; `whole` for a value in one piece. */
  readonly chunkSet: string;
  readonly chunkIndex: number;
  readonly chunkCount: number;
}

/** Not chunked: the whole value in one piece. */
export const WHOLE = { chunkSet: 'whole', chunkIndex: 0, chunkCount: 1 } as const;

const DOMAIN = 'chartseal/1';
const ID = /^[A-Za-z0-9_-]{1,64}$/;
const U32 = 0xffffffff;

/** Eleven fields with 3 bytes before each: five ids of at most 64, two registered names, the domain, 24 of integers. */
const MAX_ENCODED = 33 + 5 * 64 + 2 * 32 + DOMAIN.length + 24;
const scratch = Buffer.allocUnsafeSlow(MAX_ENCODED);

/**
 * The context as bytes: for each field, in fixed order, `u8 id ‖ u16 length ‖ bytes`, so that no two contexts
 * encode alike. Integers are big-endian.
 *
 * @throws CryptoError `CONTEXT` when a field is missing, malformed or not in its registry.
 */
export function encodeContext(context: SealContext): Buffer {
  const { chunkIndex, chunkCount } = context;
  let at = text(0, 1, DOMAIN);
  at = text(at, 2, id(context.tenant, 'tenant'));
  at = text(at, 3, id(context.patient, 'patient'));
  at = text(at, 4, registered(context.collection, COLLECTIONS, 'collection'));
  at = text(at, 5, id(context.document, 'document'));
  at = text(at, 6, registered(context.compartment, COMPARTMENTS, 'compartment'));
  at = u32(at, 7, integer(context.schema, U32, 'schema'));
  at = u64(at, 8, integer(context.revision, Number.MAX_SAFE_INTEGER, 'revision'));
  at = text(at, 9, id(context.chunkSet, 'chunk set'));
  at = u32(at, 10, integer(chunkIndex, U32, 'chunk index'));
  at = u32(at, 11, integer(chunkCount, U32, 'chunk count'));
  if (chunkIndex >= chunkCount) throw malformed('chunk index');
  return Buffer.from(scratch.subarray(0, at));
}

/** Writes a field of ASCII letters into the scratch buffer and says where the next begins. */
function text(at: number, field: number, value: string): number {
  const start = begin(at, field, value.length);
  return start + scratch.write(value, start, 'latin1');
}

function u32(at: number, field: number, value: number): number {
  return scratch.writeUInt32BE(value, begin(at, field, 4));
}

function u64(at: number, field: number, value: number): number {
  const start = begin(at, field, 8);
  scratch.writeUInt32BE(Math.floor(value / 2 ** 32), start);
  return scratch.writeUInt32BE(value % 2 ** 32, start + 4);
}

function begin(at: number, field: number, length: number): number {
  scratch[at] = field;
  scratch[at + 1] = length >> 8;
  scratch[at + 2] = length & 0xff;
  return at + 3;
}

function id(value: unknown, field: string): string {
  if (typeof value !== 'string' || !ID.test(value)) throw malformed(field);
  return value;
}

function registered(value: string, registry: readonly string[], field: string): string {
  if (!registry.includes(value)) throw malformed(field);
  return value;
}

function integer(value: unknown, max: number, field: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
    throw malformed(field);
  }
  return value;
}

function malformed(field: string): CryptoError {
  return new CryptoError(
    'CONTEXT',
    `The sealing context's ${field} is missing or malformed. Pass every field.`,
  );
}
