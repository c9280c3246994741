import { ChartsealError } from '../../kernel/errors.ts';

/**
 * - `ERASURE_REFUSED` retention or a legal hold stands against it
 * - `ERASURE_EARLY` its export is not made, or its cooling-off is not over
 * - `ERASURE_UPLOAD` a file was being uploaded when the keys were destroyed (retryable)
 * - `ERASURE_OUTSIDE` the tombstone could not be put outside (retryable)
 */
export type ErasureErrorCode = 'ERASURE_REFUSED' | 'ERASURE_EARLY' | 'ERASURE_UPLOAD' | 'ERASURE_OUTSIDE';

/** An erasure does not go on. Nothing was destroyed by this step. */
export class ErasureError extends ChartsealError<ErasureErrorCode> {}
