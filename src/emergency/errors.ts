import { ChartsealError } from '../kernel/errors.ts';

/** `FORM`: a field is missing or of the wrong form. */
export type EmergencyErrorCode = 'FORM';

/** What a form of this folder refuses. The message is shown to the person. */
export class EmergencyError extends ChartsealError<EmergencyErrorCode> {}
