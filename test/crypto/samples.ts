import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { COLLECTIONS, COMPARTMENTS, type SealContext, WHOLE } from '../../src/crypto/context.ts';
import { CryptoError, type CryptoErrorCode } from '../../src/crypto/errors.ts';
import type { DataKey } from '../../src/crypto/sealed-value.ts';
import type { PatientId, TenantId } from '../../src/kernel/ids.ts';

/** A key made of one byte value, so that vectors can be written down. */
export function sampleKey(byte = 7, version = 1): DataKey & { readonly raw: Uint8Array } {
  const raw = new Uint8Array(32).fill(byte);
  return { version, secret: createSecretKey(raw), raw };
}

export const SAMPLE_CONTEXT: SealContext = {
  tenant: 'riverside' as TenantId,
  patient: 'pat_1' as PatientId,
  collection: 'charts',
  document: 'pat_1',
  compartment: 'clinical',
  schema: 1,
  revision: 3,
  ...WHOLE,
};

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

/** Any context that is sound. */
export const anyContext: fc.Arbitrary<SealContext> = fc
  .record({
    tenant: id as fc.Arbitrary<string> as fc.Arbitrary<TenantId>,
    patient: id as fc.Arbitrary<string> as fc.Arbitrary<PatientId>,
    collection: fc.constantFrom(...COLLECTIONS),
    document: id,
    compartment: fc.constantFrom(...COMPARTMENTS),
    schema: fc.nat({ max: 0xffffffff }),
    revision: fc.maxSafeNat(),
    chunkSet: id,
    chunkIndex: fc.nat({ max: 0xfffffffe }),
    more: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ more, ...context }) => ({
    ...context,
    chunkCount: Math.min(0xffffffff, context.chunkIndex + more),
  }));

/** The code of the CryptoError that `work` throws; `opened` when it throws nothing; anything else is thrown on. */
export function codeOf(work: () => unknown): CryptoErrorCode | 'opened' {
  try {
    work();
    return 'opened';
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
}

/** As {@link codeOf}, of a promise. */
export async function rejectionOf(work: Promise<unknown>): Promise<CryptoErrorCode | 'resolved'> {
  try {
    await work;
    return 'resolved';
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
}
