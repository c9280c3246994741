import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  displayText,
  fileNameOf,
  MAX_TITLE,
  titleOfFile,
} from '../../../src/clinic/documents/display-text.ts';
import { describedAs } from '../../../src/clinic/documents/document.ts';
import { FileSniffer, HEAD_BYTES } from '../../../src/clinic/documents/file-types.ts';
import { codeOf } from '../../crypto/code-of.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const PNG = hex('89504e470d0a1a0a 0000000d 49484452 00000001 00000001');

/** What a file is taken for, or the code of the refusal; cut into pieces of so many bytes. */
function typeOf(bytes: Buffer, piece = bytes.length): string {
  let type = '';
  const code = codeOf(() => {
    const sniffer = new FileSniffer(bytes.subarray(0, HEAD_BYTES));
    for (let from = 0; from < bytes.length; from += piece) sniffer.check(bytes.subarray(from, from + piece));
    sniffer.end();
    type = sniffer.type;
  });
  return code === 'done' ? type : code;
}

describe('the type of a file is what its bytes say', () => {
  test.each([
    ['a PDF', Buffer.from('%PDF-1.7\n\u00e2'), 'application/pdf'],
    ['a PNG', PNG, 'image/png'],
    ['a JPEG', hex('ffd8ffe000104a46494600'), 'image/jpeg'],
    ['text', Buffer.from('Dear colleague,\r\n\tGrüße, 你好 🙂\f'), 'text/plain'],
    ['text with a byte-order mark', Buffer.from('\uFEFFDear colleague'), 'text/plain'],
    ['one letter', Buffer.from('a'), 'text/plain'],
    ['text with a comparison', Buffer.from('HbA1c < 7 %'), 'text/plain'],
  ])('%s', (_name, bytes, type) => {
    for (const piece of [1, 3, bytes.length]) expect(typeOf(bytes, piece)).toBe(type);
  });

  test.each([
    ['HTML', Buffer.from('<!doctype html><script>alert(1)</script>')],
    ['HTML after white space', Buffer.from(`${' \n'.repeat(900)}<html>`)],
    ['HTML after a byte-order mark', Buffer.from('\uFEFF <script>')],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')],
    ['XML', Buffer.from('<?xml version="1.0"?>')],
    ['a ZIP, and so DOCX', hex('504b0304140000000800')],
    ['a program', hex('7f454c4602010100')],
    ['a program of Windows', Buffer.from('MZ\u0090\u0000\u0003', 'latin1')],
    ['GIF', Buffer.from('GIF89a\u0001\u0000', 'latin1')],
    ['DICOM', Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')])],
    ['Latin-1', hex('477265fce4')],
    ['half a letter at the end', hex('4772c3')],
    ['UTF-16', hex('fffe44006500')],
    ['a NUL', Buffer.from('text\u0000text')],
    ['an escape', Buffer.from('text\u001b[2J')],
    ['a PNG that is cut before its header', PNG.subarray(0, 12)],
    ['a PDF with something before it', Buffer.from('\u0001%PDF-1.7')],
    ['PDF and HTML in one, the HTML first', Buffer.from('<html><!-- %PDF-1.7 -->')],
  ])('%s is refused', (_name, bytes) => {
    for (const piece of [1, 7, bytes.length]) expect(typeOf(bytes, piece)).toBe('DOCUMENT_TYPE');
  });

  test('what follows text is looked at to the end, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.integer({ min: 1, max: 9 }),
        (text, piece) => {
          const shown = text.replace(/[\p{Cc}<]/gu, '') || 'a';
          const start = shown.startsWith('%PDF-') ? `a${shown}` : shown;
          expect(typeOf(Buffer.from(start), piece)).toBe('text/plain');
          expect(typeOf(Buffer.concat([Buffer.from(start), Buffer.from([0xff])]), piece)).toBe(
            'DOCUMENT_TYPE',
          );
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** Any code units, halves of letters among them, and often those that do harm. */
const NAMES = fc
  .array(fc.oneof(fc.nat(0xffff), fc.constantFrom(0x00, 0x0a, 0x2e, 0x2f, 0x5c, 0x200b, 0x202e, 0x2028)), {
    maxLength: 300,
  })
  .map((units) => String.fromCharCode(...units));

describe('a title is text to be shown and nothing else', () => {
  test.each([
    ['../../../etc/passwd', 'passwd'],
    ['C:\\Users\\x\\letter.pdf', 'letter'],
    ['lab\u202Efdp.exe', 'lab fdp'],
    ['a\u0000b\r\nSet-Cookie: x=1.pdf', 'a b Set-Cookie: x=1'],
    ['\u2066\u200Bresult\u2069\uFEFF.PDF', 'result'],
    ['..', '..'],
    ['.pdf', ''],
    ['', ''],
    ['Überweisung 你好.jpeg', 'Überweisung 你好'],
  ])('%j', (name, title) => {
    expect(titleOfFile(name)).toBe(title);
  });

  test('no title of any name holds a control, a direction or a line, and none is too long', () => {
    fc.assert(
      fc.property(NAMES, (name) => {
        for (const title of [displayText(name), titleOfFile(name)]) {
          expect(title).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
          expect(title.length).toBeLessThanOrEqual(MAX_TITLE);
          expect(title.isWellFormed()).toBe(true);
          expect(fileNameOf(title, 'pdf')).toMatch(/^[\p{L}\p{N}-]+\.pdf$/u);
        }
      }),
    );
  });

  test('a form without a title, or with another kind, is refused', () => {
    expect(describedAs({ title: ' Lab\n', kind: 'lab-report' })).toEqual({
      title: 'Lab',
      kind: 'lab-report',
    });
    expect(codeOf(() => describedAs({ title: '\u200B', kind: 'letter' }))).toBe('DOCUMENT_FORM');
    expect(codeOf(() => describedAs({ title: 'x', kind: 'toString' }))).toBe('DOCUMENT_FORM');
  });
});
