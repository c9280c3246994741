import { ChartsealError } from '../kernel/errors.ts';

/** `INPUT` the arguments break the schema; `INTERNAL` a fault of ours. */
export type McpErrorCode = 'INPUT' | 'INTERNAL';

/** How an error looks from outside. */
export interface DescribedError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  /** FHIR AuditEvent.outcome: 4 the caller's doing, 8 ours. */
  readonly outcome: '4' | '8';
}

/** Codes that mean "our side": the caller did nothing wrong and may try again or tell someone. */
const FAULTS: ReadonlySet<string> = new Set([
  'INTERNAL',
  'AUDIT_UNAVAILABLE',
  'AUDIT_EVENT',
  'CONTENTION',
  'STORE_UNAVAILABLE',
  'STORE_USE',
  'ROW_SHAPE',
  'ALREADY_EXISTS',
  'CLINIC_MISSING',
  'POLICY_UNAVAILABLE',
]);
const CRYPTO_FAULT = /^(FORMAT|CONTEXT|COMMITMENT|TAG|ROLLBACK|KEY_\w+|KMS_\w+|TOO_LARGE)$/;

/** Where the error's own words are for an operator, what a person is told. */
const WORDS: Readonly<Record<string, string>> = {
  KEY_DISABLED:
    'This clinic has switched off the key to its records, so nobody can open them now. Nothing was changed. Call the clinic.',
};

/** An error of the tool layer. */
export class McpError extends ChartsealError<McpErrorCode> {
  /** What may be said of any error: its own words when it is one of ours, a fixed sentence otherwise. */
  static describe(error: unknown): DescribedError {
    if (error instanceof ChartsealError) {
      const { code, retryable } = error;
      const message = WORDS[code] ?? error.message;
      return { code, message, retryable, outcome: FAULTS.has(code) || CRYPTO_FAULT.test(code) ? '8' : '4' };
    }
    return {
      code: 'INTERNAL',
      message: 'Something went wrong on our side. Try again; if it stays, call the clinic.',
      retryable: false,
      outcome: '8',
    };
  }
}
