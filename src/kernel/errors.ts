/**
 * The base of every error this project throws on purpose.
 *
 * `code` is stable: callers switch on it and never parse `message`. `message` is one sentence that says what
 * happened and what to do next, and never carries a value from a chart, a token or a key.
 */
export class ChartsealError<Code extends string = string> extends Error {
  readonly code: Code;
  /** True when the same call may succeed later without anyone changing anything. */
  readonly retryable: boolean;

  constructor(code: Code, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** Codes for input that could not be read at the edge. */
export type InputErrorCode = 'ID_FORMAT' | 'CONFIG' | 'INPUT';

/** Input from outside that breaks a documented shape. */
export class InputError extends ChartsealError<InputErrorCode> {}
