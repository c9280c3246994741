import { ChartsealError } from '../kernel/errors.ts';

/**
 * - `CONSOLE_SESSION` nobody is signed in, or not any more
 * - `CONSOLE_READ` the log is asked for without a logged reading
 * - `CONSOLE_CROSS_SITE` a form or call of another site
 * - `CONSOLE_INPUT` a parameter is missing or of the wrong form
 * - `CONSOLE_ADDRESS` there is nothing at this address
 */
export type ConsoleErrorCode =
  | 'CONSOLE_SESSION'
  | 'CONSOLE_READ'
  | 'CONSOLE_CROSS_SITE'
  | 'CONSOLE_INPUT'
  | 'CONSOLE_ADDRESS';

/** The console refuses a request. */
export class ConsoleError extends ChartsealError<ConsoleErrorCode> {}

/** The status of each code. */
export const CONSOLE_STATUS: Readonly<Record<ConsoleErrorCode, number>> = {
  CONSOLE_SESSION: 401,
  CONSOLE_READ: 409,
  CONSOLE_CROSS_SITE: 403,
  CONSOLE_INPUT: 400,
  CONSOLE_ADDRESS: 404,
};
