import { DOCUMENT_LIMITS } from './document.ts';
import { DocumentError } from './errors.ts';
import { FileSniffer, type FileType, HEAD_BYTES } from './file-types.ts';

/** A file whose first bytes are here: what it is, and its bytes, which are checked as they pass. */
export interface ArrivingFile {
  readonly type: FileType;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Bytes that have passed; all of them once `bytes` has ended. */
  readonly size: () => number;
}

/**
 * Waits for as much of a file as tells its type. `onTime` is called with each piece, and throws when it is too late.
 *
 * @throws DocumentError `DOCUMENT_EMPTY`; reading on throws `DOCUMENT_TYPE` and `DOCUMENT_TOO_LARGE`.
 */
export async function arriving(bytes: AsyncIterable<Uint8Array>, onTime: () => void): Promise<ArrivingFile> {
  const pieces = bytes[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  while (head.length < HEAD_BYTES) {
    const next = await pieces.next();
    if (next.done === true) break;
    onTime();
    head = Buffer.concat([head, next.value]);
  }
  if (head.length === 0) throw new DocumentError('DOCUMENT_EMPTY', 'The file is empty. Nothing was kept.');
  const sniffer = new FileSniffer(head);
  let size = 0;
  const pass = (piece: Uint8Array): Uint8Array => {
    onTime();
    size += piece.length;
    if (size > DOCUMENT_LIMITS.bytes) throw tooLarge();
    sniffer.check(piece);
    return piece;
  };
  async function* checked(): AsyncGenerator<Uint8Array> {
    yield pass(head);
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next())
      yield pass(next.value);
    sniffer.end();
  }
  return { type: sniffer.type, bytes: checked(), size: () => size };
}

const tooLarge = (): DocumentError =>
  new DocumentError('DOCUMENT_TOO_LARGE', 'The file is over 25 MB. Nothing was kept.');
