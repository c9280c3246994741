import { ChartsealError } from '../kernel/errors.ts';

/**
 * - `FORM`: a field is missing or of the wrong form
 * - `NOT_YOURS`: nothing here is for this account to review
 */
export type PrivacyErrorCode = 'FORM' | 'NOT_YOURS';

/** What a page of this folder refuses. The message is shown to the person. */
export class PrivacyError extends ChartsealError<PrivacyErrorCode> {}

/** HTTP status of each code. */
export const PRIVACY_STATUS: Readonly<Record<PrivacyErrorCode, number>> = { FORM: 400, NOT_YOURS: 403 };
