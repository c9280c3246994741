import { ChartsealError } from '../../kernel/errors.ts';

/** Why a backend of the local stack did not start. */
export type BackendErrorCode = 'BACKEND_MISSING' | 'BACKEND_START' | 'DATA_DIR_IN_USE';

/** A backend of the local stack could not be started. */
export class BackendError extends ChartsealError<BackendErrorCode> {}
