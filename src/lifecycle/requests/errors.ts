import { ChartsealError } from '../../kernel/errors.ts';

/**
 * - `REQUEST_UNKNOWN` no such request about this chart
 * - `REQUEST_STATE` what was asked cannot follow the state that the request is in
 * - `REQUEST_LIMIT` as many requests about this chart are open as may be
 * - `REQUEST_INPUT` a kind without what it needs, or with what it does not take
 */
export type RequestErrorCode = 'REQUEST_UNKNOWN' | 'REQUEST_STATE' | 'REQUEST_LIMIT' | 'REQUEST_INPUT';

/** A request about a person's data cannot go on like this. Nothing was changed. */
export class RequestError extends ChartsealError<RequestErrorCode> {}

export const unknownRequest = (): RequestError =>
  new RequestError(
    'REQUEST_UNKNOWN',
    'There is no such request about this chart. List them, and choose one.',
  );
