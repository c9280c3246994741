import { ChartsealError } from '../kernel/errors.ts';

/**
 * - `DATE_INVALID` a date that does not exist or is out of range
 * - `VISIT_TYPE_UNKNOWN` no such visit type
 * - `SLOT_INVALID` not a slot of this person, chart and visit type; `SLOT_EXPIRED` its ten minutes are over
 * - `SLOT_PAST`, `SLOT_CLOSED` the time has passed, or the clinic no longer offers it
 * - `APPOINTMENT_UNKNOWN` no such visit in this chart; `APPOINTMENT_STATE` its status does not allow this
 * - `CONFIRM_INVALID` not the token of this preview, or over ten minutes old
 * - `WAITLIST_FULL` the patient waits for as many visits as one may
 * - `SCHEDULE_INVALID` an availability rule or absence that cannot be read
 * - `REQUEST_CONFLICT` the same slot was asked for before with other words
 * - `CLINIC_MISSING` the tenant is not set up
 * - `IMPORT_FORMAT`, `IMPORT_EXISTS` a bundle that cannot be read, or a chart that exists already
 */
export type ClinicErrorCode =
  | 'DATE_INVALID'
  | 'VISIT_TYPE_UNKNOWN'
  | 'SLOT_INVALID'
  | 'SLOT_EXPIRED'
  | 'SLOT_PAST'
  | 'SLOT_CLOSED'
  | 'APPOINTMENT_UNKNOWN'
  | 'APPOINTMENT_STATE'
  | 'CONFIRM_INVALID'
  | 'WAITLIST_FULL'
  | 'SCHEDULE_INVALID'
  | 'REQUEST_CONFLICT'
  | 'CLINIC_MISSING'
  | 'IMPORT_FORMAT'
  | 'IMPORT_EXISTS';

/** A clinic's rule says no. Nothing was changed. */
export class ClinicError extends ChartsealError<ClinicErrorCode> {}
