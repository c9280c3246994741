import { ChartsealError } from '../kernel/errors.ts';

/**
 * - `CROSS_SITE`: a form that does not come from our own page, or from another sign-in
 * - `SIGNED_OUT`: no sign-in, or one that is over
 * - `FORM`: a field is missing or of the wrong form
 * - `NO_PAGE`: there is nothing at this address
 */
export type EmergencyErrorCode = 'CROSS_SITE' | 'SIGNED_OUT' | 'FORM' | 'NO_PAGE';

/** What a page of this folder refuses. The message is shown to the person. */
export class EmergencyError extends ChartsealError<EmergencyErrorCode> {}

/** HTTP status of each code. */
export const EMERGENCY_STATUS: Readonly<Record<EmergencyErrorCode, number>> = {
  CROSS_SITE: 403,
  SIGNED_OUT: 401,
  FORM: 400,
  NO_PAGE: 404,
};
