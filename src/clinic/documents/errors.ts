import { ChartsealError } from '../../kernel/errors.ts';

/**
 * - `DOCUMENT_EMPTY`, `DOCUMENT_TOO_LARGE`, `DOCUMENT_TYPE` a file that is not kept: no bytes, over 25 MB, or none of the kinds
 * - `DOCUMENT_FORM` a title or kind that is missing or too long
 * - `DOCUMENT_LIMIT` the chart holds as many as it may
 * - `DOCUMENT_LATE` the file took too long to arrive
 * - `DOCUMENT_UNKNOWN` the chart holds no such document
 * - `DOCUMENT_DAMAGED` what is stored is not what was sealed
 * - `OBJECTS_UNAVAILABLE` the object store did not answer as it should (retryable)
 */
export type DocumentErrorCode =
  | 'DOCUMENT_EMPTY'
  | 'DOCUMENT_TOO_LARGE'
  | 'DOCUMENT_TYPE'
  | 'DOCUMENT_FORM'
  | 'DOCUMENT_LIMIT'
  | 'DOCUMENT_LATE'
  | 'DOCUMENT_UNKNOWN'
  | 'DOCUMENT_DAMAGED'
  | 'OBJECTS_UNAVAILABLE';

/** A document cannot be kept or opened. */
export class DocumentError extends ChartsealError<DocumentErrorCode> {}
