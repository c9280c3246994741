import { ChartsealError } from '../kernel/errors.ts';

/**
 * - `SIGN_IN_TOKEN`: the ID token is not valid, was revoked, or its account is disabled.
 * - `SIGN_IN_STALE`: the sign-in is older than a few minutes; it could be a replay.
 * - `SIGN_IN_TENANT`: the account belongs to no clinic (it has no `tenant` claim).
 * - `SIGN_IN_SECOND_FACTOR`: the account is of staff, and a password alone does not open what staff may see.
 * - `SIGN_IN_PROVIDER`: the account elsewhere (Google, Apple) did not vouch for the person.
 * - `SIGN_IN_UNAVAILABLE`: the identity service did not answer in time.
 * - `INTERACTION_EXPIRED`: the sign-in or consent page was open too long, or is from another browser.
 * - `CROSS_SITE`: a form was posted from elsewhere, or without its token.
 * - `REQUEST_BODY`: the body is too large or not of the type that the address takes.
 * - `UPLOAD_BROKEN`: a form with a file is not whole, or has none.
 * - `TOO_MANY`: too many attempts from one place; it may work later.
 * - `FETCH_REFUSED`: a client document or key set is not where one may be fetched, or is too large or slow.
 * - `SETUP`: the server was given a configuration that is not safe to run.
 */
export type OAuthErrorCode =
  | 'SIGN_IN_TOKEN'
  | 'SIGN_IN_STALE'
  | 'SIGN_IN_TENANT'
  | 'SIGN_IN_SECOND_FACTOR'
  | 'SIGN_IN_PROVIDER'
  | 'SIGN_IN_UNAVAILABLE'
  | 'INTERACTION_EXPIRED'
  | 'CROSS_SITE'
  | 'REQUEST_BODY'
  | 'UPLOAD_BROKEN'
  | 'TOO_MANY'
  | 'FETCH_REFUSED'
  | 'SETUP';

/** The authorization server refused a request or its own configuration. */
export class OAuthError extends ChartsealError<OAuthErrorCode> {}
