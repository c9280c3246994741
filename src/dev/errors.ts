import { ChartsealError } from '../kernel/errors.ts';

/**
 * `PORT_TAKEN` the address cannot be served; `NO_STACK` no local stack runs here; `NO_SIGN_IN` nobody signs in by that
 * address; `NO_GRANT` the person's role is open to nothing that was asked. Of the tamper demo:
 * `NOTHING_TO_ALTER` there is nothing of the kind; `CHANGED_MEANWHILE` it cannot be put back.
 */
export type StackErrorCode =
  | 'PORT_TAKEN'
  | 'NO_STACK'
  | 'NO_SIGN_IN'
  | 'NO_GRANT'
  | 'NOTHING_TO_ALTER'
  | 'CHANGED_MEANWHILE';

/** The local stack cannot start or be reached. */
export class StackError extends ChartsealError<StackErrorCode> {}
