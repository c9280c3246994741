import { ChartsealError } from '../kernel/errors.ts';

/** `PORT_TAKEN` the address cannot be served; `NO_STACK` no local stack runs here. */
export type StackErrorCode = 'PORT_TAKEN' | 'NO_STACK';

/** The local stack cannot start or be reached. */
export class StackError extends ChartsealError<StackErrorCode> {}
