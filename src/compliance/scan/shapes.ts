import { holdsCardNumber } from '../../payments/card-number.ts';

/** Shapes that PHI and cards have in clear. */
export const SHAPES = ['email', 'ssn', 'phone', 'date', 'name', 'fhir', 'card'] as const;
export type Shape = (typeof SHAPES)[number];

/** Bounded so that base64url, which holds digits and hyphens by chance, is not taken for a number. */
const PATTERNS: Readonly<Record<Exclude<Shape, 'card'>, RegExp>> = {
  email: /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+\.[\p{L}]{2,}/u,
  ssn: /(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/,
  phone: /(?<![\w-])(?:\+?\d{1,3}[ .-])?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])/,
  date: /(?<![\w-])(?:19|20)\d{2}-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])(?![\w-])/,
  name: /(?<!\p{L})\p{Lu}\p{Ll}+ (?:\p{Lu}\.? )?\p{Lu}\p{Ll}+(?!\p{L})/u,
  fhir: /"(?:family|given|birthDate|telecom|resourceType)"\s*:/,
};

/** The shapes that a text has. Known shapes only: a name in one word, or an odd number, is not found by looking. */
export function shapesIn(text: string): Shape[] {
  const found: Shape[] = Object.entries(PATTERNS).flatMap(([shape, pattern]) =>
    pattern.test(text) ? [shape as Shape] : [],
  );
  if (holdsCardNumber(text.replace(TOKEN, (token) => (isRandom(token) ? ' ' : token)))) found.push('card');
  return found;
}

/** Ids, digests and names of keys: of random letters and digits, of which some hold a card's number by chance. */
const TOKEN = /[A-Za-z0-9_-]{20,}/g;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LEAST_LETTERS = 6;
const isRandom = (token: string): boolean =>
  UUID.test(token) || token.replace(/[^A-Za-z]/g, '').length >= LEAST_LETTERS;

/** Bytes that are a readable text of some length: nothing sealed looks so. Null when they are not. */
export function readableText(bytes: Uint8Array): string | null {
  if (bytes.length < 8) return null;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return /^[\t\n\r\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]*$/u.test(text) && !text.includes('\ufffd') ? text : null;
}
