import type { KeyObject } from 'node:crypto';
import { InputError } from '../kernel/errors.ts';
import { INDEX_PURPOSES, type IndexBits, type IndexPurpose, indexTag } from './blind-index.ts';
import { CryptoError } from './errors.ts';
import {
  normaliseDate,
  normaliseEmail,
  normaliseName,
  normalisePhone,
  normaliseRecordNumber,
  normaliseYear,
} from './normalise.ts';

/** A person's name. Of the given names only the first is searched by. */
export interface SearchName {
  readonly family: string;
  readonly given: string;
}

/** What a patient can be found by, as written in the chart. At most 16 of each. */
export interface PatientFacts {
  readonly names: readonly SearchName[];
  /** `YYYY-MM-DD`, or `YYYY-MM` or `YYYY` where no more is known. */
  readonly birthDate: string | null;
  readonly mrns: readonly string[];
  readonly emails: readonly string[];
  readonly phones: readonly string[];
}

/** What somebody searches by: two of record number, e-mail, phone, name or surname, birth date or year. */
export interface Identifiers {
  readonly mrn?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly name?: SearchName;
  readonly surname?: string;
  readonly birthDate?: string;
  readonly birthYear?: string;
}

/** One index key with the bits that its truncated tags keep. */
export interface IndexKey {
  readonly version: number;
  readonly secret: KeyObject;
  readonly bits: IndexBits;
}

/** Normalised facts, each kind a set. `names` are `family\ngiven`. */
interface Facts {
  readonly mrn: ReadonlySet<string>;
  readonly email: ReadonlySet<string>;
  readonly phone: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
  readonly surnames: ReadonlySet<string>;
  readonly birthDate: string | null;
  readonly birthYear: string | null;
}

const MAX_OF_A_KIND = 16;
const FULL_DATE = 10;

/** The buckets in which a patient with these facts is listed. */
export function bucketsOf(facts: PatientFacts, key: IndexKey, callingCode: string): string[] {
  const { mrn, email, phone, names, surnames, birthDate, birthYear } = normaliseFacts(facts, callingCode);
  const named = (of: ReadonlySet<string>, born: string | null, purpose: IndexPurpose) =>
    born === null ? [] : [...of].map((name) => bucket(key, purpose, [name, born]));
  return [
    ...[...mrn].map((value) => bucket(key, 'mrn', [value])),
    ...[...email].map((value) => bucket(key, 'email', [value])),
    ...[...phone].map((value) => bucket(key, 'phone', [value])),
    ...named(names, birthDate, 'name-birth-date'),
    ...named(surnames, birthYear, 'surname-birth-year'),
  ];
}

/** The smallest bucket in which a patient with these identifiers is listed. */
export function bucketFor(asked: Identifiers, key: IndexKey, callingCode: string): string {
  const { mrn, email, phone, name, birthDate, birthYear } = asked;
  if (mrn !== undefined) return bucket(key, 'mrn', [normaliseRecordNumber(mrn)]);
  if (email !== undefined) return bucket(key, 'email', [normaliseEmail(email)]);
  if (phone !== undefined) return bucket(key, 'phone', [normalisePhone(phone, callingCode)]);
  if (name !== undefined && birthDate !== undefined)
    return bucket(key, 'name-birth-date', [nameKey(name), normaliseDate(birthDate)]);
  const surname = name?.family ?? asked.surname ?? '';
  return bucket(key, 'surname-birth-year', [
    normaliseName(surname),
    normaliseYear(birthDate ?? birthYear ?? ''),
  ]);
}

/** Whether two different kinds of identifier are given. A name counts once, a birth date too. */
export function hasTwoIdentifiers(asked: Identifiers): boolean {
  const kinds = [
    asked.mrn,
    asked.email,
    asked.phone,
    asked.name ?? asked.surname,
    asked.birthDate ?? asked.birthYear,
  ].filter((value) => value !== undefined);
  return kinds.length >= 2;
}

/** @throws InputError `INPUT` unless two different kinds of identifier are given. */
export function requireTwoIdentifiers(asked: Identifiers): void {
  if (!hasTwoIdentifiers(asked))
    throw new InputError(
      'INPUT',
      'Give two identifiers: a record number, e-mail, phone, name or birth date. A name counts once, a birth date too.',
    );
}

/** Answers, for a patient's facts, whether all of what was asked is true of that patient. */
export function matcher(asked: Identifiers, callingCode: string): (facts: PatientFacts) => boolean {
  const wanted = {
    mrn: asked.mrn === undefined ? null : normaliseRecordNumber(asked.mrn),
    email: asked.email === undefined ? null : normaliseEmail(asked.email),
    phone: asked.phone === undefined ? null : normalisePhone(asked.phone, callingCode),
    name: asked.name === undefined ? null : nameKey(asked.name),
    surname: asked.surname === undefined ? null : normaliseName(asked.surname),
    birthDate: asked.birthDate === undefined ? null : normaliseDate(asked.birthDate),
    birthYear: asked.birthYear === undefined ? null : normaliseYear(asked.birthYear),
  };
  const among = (value: string | null, set: ReadonlySet<string>) => value === null || set.has(value);
  const equal = (value: string | null, fact: string | null) => value === null || value === fact;
  return (facts) => {
    const known = normaliseFacts(facts, callingCode);
    return (
      among(wanted.mrn, known.mrn) &&
      among(wanted.email, known.email) &&
      among(wanted.phone, known.phone) &&
      among(wanted.name, known.names) &&
      among(wanted.surname, known.surnames) &&
      equal(wanted.birthDate, known.birthDate) &&
      equal(wanted.birthYear, known.birthYear)
    );
  };
}

/** The index version and purpose that a bucket's name says. */
export function partsOfBucket(name: string): { version: number; purpose: IndexPurpose } {
  const version = Number(name.slice(1, name.indexOf('-')));
  const purpose = INDEX_PURPOSES.find((one) => name.startsWith(`v${version}-${one}-`));
  if (purpose === undefined)
    throw new CryptoError('FORMAT', 'An index entry names no bucket that this version reads.');
  return { version, purpose };
}

function normaliseFacts(facts: PatientFacts, callingCode: string): Facts {
  const { names, birthDate, mrns, emails, phones } = facts;
  if ([names, mrns, emails, phones].some((list) => list.length > MAX_OF_A_KIND))
    throw new InputError(
      'INPUT',
      'A patient is indexed by at most 16 names, record numbers, e-mails and phones.',
    );
  return {
    mrn: new Set(mrns.map(normaliseRecordNumber)),
    email: new Set(emails.map(normaliseEmail)),
    phone: new Set(phones.map((phone) => normalisePhone(phone, callingCode))),
    names: new Set(names.map(nameKey)),
    surnames: new Set(names.map(({ family }) => normaliseName(family))),
    birthDate: birthDate?.length === FULL_DATE ? normaliseDate(birthDate) : null,
    birthYear: birthDate === null ? null : normaliseYear(birthDate),
  };
}

function nameKey({ family, given }: SearchName): string {
  const [first = ''] = normaliseName(given).split(' ');
  return `${normaliseName(family)}\n${first}`;
}

function bucket(
  { version, secret, bits }: IndexKey,
  purpose: IndexPurpose,
  parts: readonly string[],
): string {
  const kept =
    purpose === 'name-birth-date'
      ? { bits: bits.nameBirthDate }
      : purpose === 'surname-birth-year'
        ? { bits: bits.surnameBirthYear }
        : {};
  return `v${version}-${purpose}-${indexTag(secret, { purpose, parts, ...kept })}`;
}
