import cardValidator from 'card-validator';
import { PaymentError } from './errors.ts';

/** A card as it is charged. It exists in memory only, and for one call. */
export interface Card {
  /** 12 to 19 digits. */
  readonly number: string;
  /** `YYYY-MM` */
  readonly expires: string;
}

/** What may be shown of a card. */
export interface CardFace {
  /** Such as `visa`; the names of the `credit-card-type` registry. */
  readonly brand: string;
  readonly lastFour: string;
  readonly expires: string;
}

/** What a person typed; `month` 1 to 12, `year` in four digits. */
export interface TypedCard {
  readonly number: string;
  readonly month: string;
  readonly year: string;
}

/** Cards are issued for some years; a date beyond is a slip. */
const MAX_YEARS_AHEAD = 20;
/** Digits as people and programs write them: in groups, with blanks, dots or hyphens between. */
const CANDIDATE = /(?<![\p{Nd}])\p{Nd}(?:[\s.\u00ad\u200b\u2010-\u2015_-]{0,2}\p{Nd}){11,}/gu;
const SEPARATORS = /[\s.\u00ad\u200b\u2010-\u2015_-]/gu;
const LENGTH = { min: 12, max: 19 } as const;

/**
 * Reads a card as it was typed: Luhn (ISO/IEC 7812-1 Annex B), a known brand and its length, a date that is not over.
 *
 * @param now ms since the epoch. A card is good to the end of its month, anywhere on earth.
 * @throws PaymentError `CARD_INPUT`.
 */
export function readCard(typed: TypedCard, now: number): { card: Card; face: CardFace } {
  const number = toDigits(typed.number);
  const brand = brandOf(number);
  if (brand === null) throw wrong('number');
  const [month, year] = [Number(typed.month), Number(typed.year)];
  const isDate = Number.isInteger(month) && month >= 1 && month <= 12 && /^\d{4}$/.test(typed.year);
  const lastMoment = Date.UTC(year, month, 1) + 12 * 3_600_000;
  if (!isDate || lastMoment <= now || year > new Date(now).getUTCFullYear() + MAX_YEARS_AHEAD)
    throw wrong('expiry date');
  const expires = `${typed.year}-${String(month).padStart(2, '0')}`;
  return { card: { number, expires }, face: { brand, lastFour: number.slice(-4), expires } };
}

/**
 * Whether a text holds what looks like a card number: digits that a brand issues, of its length, with a right check digit,
 * however they are grouped, also inside a longer run of digits.
 */
export function holdsCardNumber(text: string): boolean {
  return [...text.matchAll(CANDIDATE)].some(([run]) => {
    const digits = toDigits(run);
    for (let from = 0; from + LENGTH.min <= digits.length; from += 1)
      for (let length = LENGTH.min; length <= LENGTH.max && from + length <= digits.length; length += 1)
        if (isPlausible(digits.slice(from, from + length), { alone: digits.length === length })) return true;
    return false;
  });
}

/** In a longer run only the lengths that nearly all cards have count: any 30 digits hold some number of 12. */
function isPlausible(digits: string, { alone }: { alone: boolean }): boolean {
  return (alone || digits.length >= 15) && brandOf(digits) !== null;
}

function brandOf(number: string): string | null {
  if (!/^\d{12,19}$/.test(number)) return null;
  const { isValid, card } = cardValidator.number(number);
  return isValid && card !== null ? card.type : null;
}

/** Digits of any script as ASCII; anything else stays, and is then no number. */
const toDigits = (text: string): string =>
  text.replace(SEPARATORS, '').replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)));

/** Unicode's decimal digits come in runs of ten, from 0 up. */
function digitValue(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1)) && code - zero < 9) zero -= 1;
  return code - zero;
}

const wrong = (what: string): PaymentError =>
  new PaymentError('CARD_INPUT', `Check the ${what}: it is not what a card has. Nothing was kept.`);
