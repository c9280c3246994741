import { ChartsealError } from '../kernel/errors.ts';

/**
 * - `JOB_UNKNOWN` no such job; `JOB_OPEN` one of its kind is under way; `JOB_STATE` its state does not allow this
 * - `JOB_STALLED` (retryable) a step failed too often; the job goes on where it was
 * - `TENANT_EXISTS` the tenant is there already; `TENANT_UNKNOWN` it is not
 * - `KEY_BROUGHT` the tenant's wrapping key is its own
 * - `KEYS_LOCAL` local keys are rotated in the environment, not here
 */
export type LifecycleErrorCode =
  | 'JOB_UNKNOWN'
  | 'JOB_OPEN'
  | 'JOB_STATE'
  | 'JOB_STALLED'
  | 'TENANT_EXISTS'
  | 'TENANT_UNKNOWN'
  | 'KEY_BROUGHT'
  | 'KEYS_LOCAL';

/** Something over the life of keys or data could not be done. */
export class LifecycleError extends ChartsealError<LifecycleErrorCode> {}
