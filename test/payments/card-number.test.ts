import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdsCardNumber, readCard } from '../../src/payments/card-number.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');
const VISA = '4111111111111111';
/** Published test numbers of the brands. */
const GENUINE = [
  VISA,
  '5555555555554444',
  '2223003122003222',
  '378282246310005',
  '6011111111111117',
  '3530111333300000',
];
const typed = (change: Partial<{ number: string; month: string; year: string }> = {}) => ({
  number: VISA,
  month: '12',
  year: '2028',
  ...change,
});
const wrongDigit = (number: string): string => number.slice(0, -1) + ((Number(number.at(-1)) + 1) % 10);

describe('a card as it was typed', () => {
  test.each([
    ['4111 1111 1111 1111', 'visa', '1111'],
    ['3782-822463-10005', 'american-express', '0005'],
    ['５５５５５５５５５５５５４４４４', 'mastercard', '4444'],
  ])('%s is read', (number, brand, lastFour) => {
    const { card, face } = readCard(typed({ number }), NOW);
    expect(face).toEqual({ brand, lastFour, expires: '2028-12' });
    expect(card.number).toMatch(/^\d{15,16}$/);
  });

  test.each([
    ['a wrong check digit', { number: wrongDigit(VISA) }, 'number'],
    ['a digit too few', { number: VISA.slice(1) }, 'number'],
    ['a number of no brand', { number: '1000000000000008' }, 'number'],
    ['letters', { number: '4111 1111 1111 111x' }, 'number'],
    ['nothing', { number: '' }, 'number'],
    ['month 13', { month: '13' }, 'expiry'],
    ['month 0', { month: '0' }, 'expiry'],
    ['half a month', { month: '1.5' }, 'expiry'],
    ['a year of two digits', { year: '28' }, 'expiry'],
    ['last month', { month: '10', year: '2026' }, 'expiry'],
    ['a year that no card has', { year: '2047' }, 'expiry'],
  ])('%s is refused in words that repeat nothing', (_name, change, what) => {
    const attempt = () => readCard(typed(change), NOW);
    expect(attempt).toThrow(
      expect.objectContaining({ code: 'CARD_INPUT', message: expect.stringContaining(what) }),
    );
    expect(attempt).not.toThrow(/4111|1111|2047/);
  });

  test('a card is good to the end of its month, wherever on earth', () => {
    const until = Date.UTC(2026, 11, 1) + 12 * 3_600_000;
    const november = typed({ month: '11', year: '2026' });
    expect(readCard(november, until - 1).face.expires).toBe('2026-11');
    expect(() => readCard(november, until)).toThrow('expiry');
  });
});

describe('a card number in a text', () => {
  test.each(GENUINE)('%s is found, alone, grouped, in a sentence, and glued to other digits', (number) => {
    const grouped = number.replace(/(.{4})/g, '$1 ').trim();
    for (const text of [number, grouped, grouped.replaceAll(' ', '-'), grouped.replaceAll(' ', '\u00a0')])
      expect(holdsCardNumber(`Please charge ${text}, thank you.`), text).toBe(true);
    expect(holdsCardNumber(`order77${number}99`)).toBe(true);
  });

  test('digits of other scripts and invisible characters do not hide it', () => {
    const arabic = [...VISA].map((digit) => String.fromCodePoint(0x0660 + Number(digit))).join('');
    expect(holdsCardNumber(arabic)).toBe(true);
    expect(holdsCardNumber([...VISA].join('\u200b'))).toBe(true);
    expect(holdsCardNumber([...VISA].join(' '))).toBe(true);
  });

  test.each(GENUINE)('%s with a wrong check digit is none', (number) => {
    expect(holdsCardNumber(wrongDigit(number))).toBe(false);
  });

  test.each([
    'Tuesday, 2026-12-01 at 09:00, or 2026-12-02 at 10:30',
    'from 2026-12-01 to 2026-12-05',
    'call +1 (555) 010-4477 or 555-010-4478',
    'MRN RV-4471902, born 1968-04-12',
    'pat_9f3kQ2x7RrB1mW0cVt5yZA',
    '1795521600000',
    '0000000000000000',
  ])('"%s" holds none', (text) => expect(holdsCardNumber(text)).toBe(false));

  test('whatever stands around it', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...GENUINE), fc.string(), (before, number, after) =>
        holdsCardNumber(`${before} : ${number} : ${after}`),
      ),
    );
  });

  test('a long run of digits takes no longer than it may', () => {
    const start = performance.now();
    holdsCardNumber('9'.repeat(2_000));
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
