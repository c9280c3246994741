import { ChartsealError } from '../../kernel/errors.ts';

/**
 * - `EXPORT_GONE` an export that has expired, was withdrawn, or whose key was rotated away
 * - `EXPORT_NO_CHART` there is nobody to export
 */
export type ExportErrorCode = 'EXPORT_GONE' | 'EXPORT_NO_CHART';

/** An export cannot be made or handed out. */
export class ExportError extends ChartsealError<ExportErrorCode> {}
