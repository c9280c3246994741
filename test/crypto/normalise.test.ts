import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  normaliseDate,
  normaliseEmail,
  normaliseName,
  normalisePhone,
  normaliseRecordNumber,
  normaliseYear,
} from '../../src/crypto/normalise.ts';
import { codeOf } from './code-of.ts';

describe('names that people take for the same', () => {
  test.each([
    [
      'zoe quinn',
      ['Zoë Quinn', 'ZOE\u00a0QUINN', '  zoe   quinn ', 'Zoe\u0308 Quinn', 'Ｚｏｅ Quinn', 'Zoe\u200d Quinn'],
    ],
    ['obrien', ["O'Brien", 'O’Brien', 'OBRIEN', 'oʼbrien']],
    ['jean luc', ['Jean-Luc', 'Jean–Luc', 'jean luc']],
    ['strasse', ['Straße', 'STRASSE', 'strasse', 'STRAẞE']],
    ['σασ', ['ΣΑΣ', 'σας', 'σασ']],
    ['st john', ['St. John', 'st john']],
    ['李小龍', ['李小龍', ' 李小龍 ']],
  ])('%s', (normal, written) => {
    for (const one of written) expect(normaliseName(one)).toBe(normal);
  });

  test('what differs by more than writing stays apart', () => {
    expect(normaliseName('はは')).not.toBe(normaliseName('ばば'));
    expect(normaliseName('Ann Lee')).not.toBe(normaliseName('Annlee'));
    expect(normaliseRecordNumber('007')).not.toBe(normaliseRecordNumber('7'));
  });

  test('to normalise twice changes nothing', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.string({
        unit: fc.constantFrom('a', 'ß', 'ẞ', 'Σ', 'İ', "'", '.', ' ', '-', '\u0308', '\u00a8', 'が', '1'),
      }),
    );
    fc.assert(
      fc.property(texts, fc.constantFrom(normaliseName, normaliseRecordNumber), (text, normalise) => {
        if (codeOf(() => normalise(text)) !== 'done') return;
        expect(normalise(normalise(text))).toBe(normalise(text));
      }),
      { numRuns: 5_000 },
    );
  });
});

test.each([
  [
    '16175550123',
    [
      '+1 (617) 555-0123',
      '617.555.0123',
      '1-617-555-0123',
      '001 617 555 0123',
      '６１７５５５０１２３',
      '617-555-0123 ext. 4',
      '٦١٧٥٥٥٠١٢٣',
    ],
  ],
])('phone numbers become %s', (normal, written) => {
  for (const one of written) expect(normalisePhone(one)).toBe(normal);
});

test('a phone number without a country code takes the given one', () => {
  expect(normalisePhone('030 123456', '49')).toBe('4930123456');
  expect(normalisePhone('+49 30 123456', '1')).toBe('4930123456');
});

test('e-mail addresses differ by neither case nor the writing of the domain', () => {
  for (const one of ['Zoe@Example.com', ' zoe@EXAMPLE.COM ', 'ｚｏｅ@example.com'])
    expect(normaliseEmail(one)).toBe('zoe@example.com');
  expect(normaliseEmail('a@BÜCHER.example')).toBe('a@xn--bcher-kva.example');
});

test('record numbers drop spaces and punctuation', () => {
  expect(normaliseRecordNumber(' MRN-00 12/a ')).toBe('mrn0012a');
});

test('dates and years', () => {
  expect(normaliseDate(' 1980-02-29 ')).toBe('1980-02-29');
  for (const written of ['1980', '1980-02', '1980-02-29']) expect(normaliseYear(written)).toBe('1980');
});

test.each<[string, () => string]>([
  ['a name of punctuation', () => normaliseName(' -.’ ')],
  ['an endless name', () => normaliseName('x'.repeat(513))],
  ['a name with an unpaired surrogate', () => normaliseName('\ud800')],
  ['an empty record number', () => normaliseRecordNumber('--')],
  ['a phone of six digits', () => normalisePhone('+123456')],
  ['a phone of sixteen digits', () => normalisePhone('+1234567890123456')],
  ['a phone of letters', () => normalisePhone('none')],
  ['an e-mail without a host', () => normaliseEmail('zoe@')],
  ['an e-mail with two hosts', () => normaliseEmail('zoe@a.com@b.com')],
  ['an e-mail at a bare host', () => normaliseEmail('zoe@localhost')],
  ['a day that is not in the calendar', () => normaliseDate('1981-02-29')],
  ['a date in another order', () => normaliseDate('29.02.1980')],
  ['a date with a time', () => normaliseDate('1980-02-29T00:00:00Z')],
  ['no year', () => normaliseYear('')],
])('%s is refused, and the message holds none of it', (_name, normalise) => {
  expect(codeOf(normalise)).toBe('INPUT');
});
