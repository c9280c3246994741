import { ChartsealError } from '../kernel/errors.ts';

/**
 * - `TOKEN_MISSING`, `TOKEN_INVALID`, `TOKEN_EXPIRED`: who is calling is not known (HTTP 401)
 * - `TOKEN_MISPLACED`: a token came by a way on which tokens leak (HTTP 400)
 * - `SCOPE_MISSING`: known, but the person did not grant this (step-up)
 * - `NOT_FOUND`: there is no such chart for this caller. Unknown and forbidden are the same answer.
 * - `CHART_LIMIT`: permitted, and yet one of unusually many
 * - `POLICY_UNAVAILABLE`: the policies cannot be read, so nothing is permitted
 * - `EMERGENCY_REFUSED`: emergency access was not opened, or not reviewed, as asked
 */
export type AccessErrorCode =
  | 'TOKEN_MISSING'
  | 'TOKEN_INVALID'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_MISPLACED'
  | 'SCOPE_MISSING'
  | 'NOT_FOUND'
  | 'CHART_LIMIT'
  | 'POLICY_UNAVAILABLE'
  | 'EMERGENCY_REFUSED';

/** The caller may not do this. `scopes` names everything that a new sign-in should ask for. */
export class AccessError extends ChartsealError<AccessErrorCode> {
  readonly scopes: readonly string[];

  constructor(
    code: AccessErrorCode,
    message: string,
    scopes: readonly string[] = [],
    options: { cause?: unknown } = {},
  ) {
    super(code, message, options);
    this.scopes = scopes;
  }
}

/** The one sentence for every chart that is unknown or not the caller's to see. */
export const notFound = (): AccessError =>
  new AccessError(
    'NOT_FOUND',
    'No such chart is available to you. Leave out "patient" to use your own chart.',
  );
