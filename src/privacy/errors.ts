import { ChartsealError } from '../kernel/errors.ts';

/**
 * - `CROSS_SITE`: a form that does not come from our own page, or from another sign-in
 * - `SIGNED_OUT`: no sign-in, or one that is over
 * - `FORM`: a field is missing or of the wrong form
 * - `NO_PAGE`: there is nothing at this address
 * - `NOT_YOURS`: nothing here is for this account to review
 */
export type PrivacyErrorCode = 'CROSS_SITE' | 'SIGNED_OUT' | 'FORM' | 'NO_PAGE' | 'NOT_YOURS';

/** What a page of this folder refuses. The message is shown to the person. */
export class PrivacyError extends ChartsealError<PrivacyErrorCode> {}

/** HTTP status of each code. */
export const PRIVACY_STATUS: Readonly<Record<PrivacyErrorCode, number>> = {
  CROSS_SITE: 403,
  SIGNED_OUT: 401,
  FORM: 400,
  NO_PAGE: 404,
  NOT_YOURS: 403,
};
