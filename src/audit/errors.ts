import { ChartsealError } from '../kernel/errors.ts';

/** `AUDIT_EVENT` an event breaks its shape; `AUDIT_UNAVAILABLE` it could not be committed, so nothing was released. */
export type AuditErrorCode = 'AUDIT_EVENT' | 'AUDIT_UNAVAILABLE';

/** An audit event could not be made or kept. The call that it tells of fails. */
export class AuditError extends ChartsealError<AuditErrorCode> {}
