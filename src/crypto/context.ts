import type { PatientId, TenantId } from '../kernel/ids.ts';
import { CryptoError } from './errors.ts';

/** What a value may be a part of. The names are bound into every sealed value: never rename or reuse one. */
export const COLLECTIONS = ['charts', 'appointments', 'manifests', 'idempotency', 'documents'] as const;
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

/**
 * The context as bytes: for each field, in fixed order, `u8 id ‖ u16 length ‖ bytes`, so that no two contexts
 * encode alike. Integers are big-endian.
 *
 * @throws CryptoError `CONTEXT` when a field is missing, malformed or not in its registry.
 */
export function encodeContext(context: SealContext): Buffer {
  const fields = [
    Buffer.from(DOMAIN),
    id(context.tenant, 'tenant'),
    id(context.patient, 'patient'),
    registered(context.collection, COLLECTIONS, 'collection'),
    id(context.document, 'document'),
    registered(context.compartment, COMPARTMENTS, 'compartment'),
    u32(context.schema, 'schema'),
    u64(context.revision, 'revision'),
    id(context.chunkSet, 'chunk set'),
    u32(context.chunkIndex, 'chunk index'),
    u32(context.chunkCount, 'chunk count'),
  ];
  if (context.chunkIndex >= context.chunkCount) throw malformed('chunk index');
  const encoded = Buffer.allocUnsafe(fields.reduce((sum, field) => sum + 3 + field.length, 0));
  let at = 0;
  for (const [index, field] of fields.entries()) {
    at = encoded.writeUInt8(index + 1, at);
    at = encoded.writeUInt16BE(field.length, at);
    at += field.copy(encoded, at);
  }
  return encoded;
}

function id(value: unknown, field: string): Buffer {
  if (typeof value !== 'string' || !ID.test(value)) throw malformed(field);
  return Buffer.from(value, 'latin1');
}

function registered(value: string, registry: readonly string[], field: string): Buffer {
  if (!registry.includes(value)) throw malformed(field);
  return Buffer.from(value, 'latin1');
}

function u32(value: unknown, field: string): Buffer {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw malformed(field);
  }
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function u64(value: unknown, field: string): Buffer {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw malformed(field);
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function malformed(field: string): CryptoError {
  return new CryptoError(
    'CONTEXT',
    `The sealing context's ${field} is missing or malformed. Pass every field.`,
  );
}
