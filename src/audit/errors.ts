import { ChartsealError } from '../kernel/errors.ts';

/**
 * - `AUDIT_EVENT` an event breaks its shape
 * - `AUDIT_UNAVAILABLE` it could not be committed, so nothing was released
 * - `NOTE` bytes that are no signed note, key or checkpoint
 * - `TREE_CORRUPT` the stored tree is not one that the sequencer wrote
 * - `LOG_SHRUNK`, `LOG_FORKED` the stored tree is not a continuation of the last outside checkpoint: nothing is signed
 * - `NO_SIGNER` the tenant has no active checkpoint key
 * - `OUTSIDE_UNAVAILABLE` the store of checkpoints did not answer
 * - `RETENTION` a cut that the rules do not allow
 */
export type AuditErrorCode =
  | 'AUDIT_EVENT'
  | 'AUDIT_UNAVAILABLE'
  | 'NOTE'
  | 'TREE_CORRUPT'
  | 'LOG_SHRUNK'
  | 'LOG_FORKED'
  | 'NO_SIGNER'
  | 'OUTSIDE_UNAVAILABLE'
  | 'RETENTION';

/** An audit event could not be made or kept (then the call it tells of fails), or the log could not be proven. */
export class AuditError extends ChartsealError<AuditErrorCode> {}
