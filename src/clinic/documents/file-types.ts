import { DocumentError } from './errors.ts';

/**
 * What a document may be, told by its bytes alone: neither the file's name nor the sender's word counts. Everything else is
 * refused. It is no virus scanner, and a file that is of two kinds at once is served as the one that its first bytes say.
 */
export const FILE_TYPES = {
  'application/pdf': { ending: 'pdf', words: 'PDF' },
  'image/png': { ending: 'png', words: 'PNG picture' },
  'image/jpeg': { ending: 'jpg', words: 'JPEG picture' },
  'text/plain': { ending: 'txt', words: 'Text' },
} as const;
export type FileType = keyof typeof FILE_TYPES;
export const FILE_TYPE_NAMES = Object.keys(FILE_TYPES) as [FileType, ...FileType[]];

/** The first bytes of each, at offset 0: a PDF may have nothing before its header here. */
const MAGIC: readonly (readonly [FileType, Buffer])[] = [
  ['application/pdf', Buffer.from('%PDF-', 'latin1')],
  ['image/png', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')],
  ['image/jpeg', Buffer.from('ffd8ff', 'hex')],
];
/** Enough to tell the type by. */
export const HEAD_BYTES = 16;
/** Characters that no letter has; a browser that guessed would take them for something else. */
const NOT_TEXT = /[^\P{Cc}\t\n\f\r]/u;
/** Markup is no plain text: what reads it as HTML or SVG would run it. */
const MARKUP = /^[\s\uFEFF]*</;

/** The type that the first bytes say, where the rest is not needed to tell; null for what could only be text. */
const typeOfHead = (head: Uint8Array): FileType | null =>
  MAGIC.find(([, magic]) => magic.equals(head.subarray(0, magic.length)))?.[0] ?? null;

/** Looks at a file as it passes. */
export class FileSniffer {
  readonly type: FileType;
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #start = '';

  /** @param head the first {@link HEAD_BYTES} of the file, or all of a shorter one; `check` sees them again. */
  constructor(head: Uint8Array) {
    this.type = typeOfHead(head) ?? 'text/plain';
  }

  /** @throws DocumentError `DOCUMENT_TYPE` once the bytes are none of {@link FILE_TYPES}. */
  check(piece: Uint8Array): void {
    if (this.type === 'text/plain') this.#checkText(() => this.#text.decode(piece, { stream: true }));
  }

  /** The file is whole. @throws DocumentError `DOCUMENT_TYPE`. */
  end(): void {
    if (this.type === 'text/plain') this.#checkText(() => this.#text.decode());
  }

  #checkText(decode: () => string): void {
    const text = decoded(decode);
    if (this.#start.trim() === '') this.#start = (this.#start + text).slice(-1_024);
    if (NOT_TEXT.test(text) || MARKUP.test(this.#start)) throw wrongType();
  }
}

function decoded(decode: () => string): string {
  try {
    return decode();
  } catch {
    throw wrongType();
  }
}

const wrongType = (): DocumentError =>
  new DocumentError(
    'DOCUMENT_TYPE',
    'Only PDF, PNG, JPEG and plain text are kept, told by what is in the file. Nothing was kept.',
  );
