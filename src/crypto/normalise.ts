import { domainToASCII } from 'node:url';
import { InputError } from '../kernel/errors.ts';

/**
 * One spelling for what people write in many ways, so that a keyed index finds it again. Part of the index's
 * meaning: a change here needs a new index version, or what was indexed before is not found.
 */

const MAX_TEXT = 512;

/** A name's letters and digits: NFKC, case folded, Latin accents and punctuation dropped, one space between words. */
export function normaliseName(value: string): string {
  const plain = fold(value)
    .replace(/['’ʼ`´.]/gu, '')
    .normalize('NFD')
    .replace(/(\p{Script=Latin})\p{M}+/gu, '$1')
    .normalize('NFKC');
  return required(plain.replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ').trim(), 'name');
}

/** A record number without spaces and punctuation, case folded; leading zeros count. */
export function normaliseRecordNumber(value: string): string {
  const plain = fold(value).replace(/[^\p{L}\p{M}\p{N}]+/gu, '');
  // What stood apart may now combine.
  return required(plain.normalize('NFKC'), 'record number');
}

/**
 * A telephone number as the digits after `+` (E.164). `callingCode` is the country's for numbers without one; an
 * extension is dropped.
 */
export function normalisePhone(value: string, callingCode = '1'): string {
  const text = bounded(value).replace(/(?:ext|x|#).*$/iu, '');
  const digits = asciiDigits(text).replace(/\D/gu, '');
  const international = /^\s*\+/u.test(text) ? digits : digits.startsWith('00') ? digits.slice(2) : null;
  const full = international ?? withCallingCode(digits, callingCode);
  if (!/^[1-9]\d{6,14}$/u.test(full)) throw refused('telephone number');
  return full;
}

/** An e-mail address, case folded, its domain in its ASCII form. */
export function normaliseEmail(value: string): string {
  const [, local = '', host = ''] = /^([^\s@]+)@([^\s@]+)$/u.exec(fold(value).trim()) ?? [];
  const domain = domainToASCII(host);
  if (local === '' || !domain.includes('.')) throw refused('e-mail address');
  return `${local}@${domain}`;
}

/** An ISO date, `YYYY-MM-DD`, that is in the calendar. */
export function normaliseDate(value: string): string {
  const text = asciiDigits(bounded(value).trim());
  const date = new Date(`${text}T00:00:00Z`);
  const exists = /^\d{4}-\d{2}-\d{2}$/u.test(text) && date.toString() !== 'Invalid Date';
  if (!exists || date.toISOString().slice(0, 10) !== text) throw refused('date');
  return text;
}

/** The year of `YYYY`, `YYYY-MM` or `YYYY-MM-DD`. */
export function normaliseYear(value: string): string {
  const text = asciiDigits(bounded(value).trim());
  if (!/^\d{4}(?:-\d{2}){0,2}$/u.test(text)) throw refused('year');
  return text.slice(0, 4);
}

/** NFKC and full case folding, as far as Unicode's own upper and lower case carry it (ß is ss, ς is σ). */
function fold(value: string): string {
  const invisible = /\p{Default_Ignorable_Code_Point}/gu;
  return bounded(value)
    .normalize('NFKC')
    .replace(invisible, '')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFKC');
}

function withCallingCode(national: string, callingCode: string): string {
  // North American numbers are ten digits, often written with the country's own 1 before them.
  if (callingCode === '1')
    return national.length === 11 && national.startsWith('1') ? national : `1${national}`;
  return callingCode + national.replace(/^0/u, '');
}

/** Arabic-Indic, Persian and Devanagari digits as ASCII; NFKC does it for full-width ones. */
function asciiDigits(text: string): string {
  const digits = text.normalize('NFKC');
  return digits.replace(/[٠-٩۰-۹०-९]/gu, (digit) => {
    const code = digit.codePointAt(0) ?? 0;
    return String(code - (code >= 0x966 ? 0x966 : code >= 0x6f0 ? 0x6f0 : 0x660));
  });
}

function bounded(value: string): string {
  if (typeof value !== 'string' || value.length > MAX_TEXT || !value.isWellFormed()) throw refused('text');
  return value;
}

function required(text: string, what: string): string {
  if (text === '') throw refused(what);
  return text;
}

const refused = (what: string): InputError =>
  new InputError('INPUT', `The ${what} has nothing to search by. Check how it is written.`);
