import {
  normaliseDate,
  normaliseEmail,
  normaliseName,
  normalisePhone,
  normaliseRecordNumber,
} from '../crypto/normalise.ts';
import type { PatientFacts } from '../crypto/search-facts.ts';
import type { Chart } from './chart.ts';

const MAX_OF_A_KIND = 16;
const RECORD_NUMBER = 'MR';
const CALLING_CODE = '1';

/**
 * What a patient can be found by: names, birth date, record numbers, e-mail addresses and telephone numbers. What
 * has nothing to search by (a telephone number without digits) is left out, so that it never keeps a chart out.
 */
export function searchFactsOf({ demographics, contact, identifiers }: Chart): PatientFacts {
  const telecom = (system: string) =>
    contact.telecom.flatMap((point) => (point.system === system ? (point.value ?? []) : []));
  const mrns = identifiers.identifier.flatMap(({ type, value }) =>
    isRecordNumber(type) ? (value ?? []) : [],
  );
  const names = demographics.name.map(({ family = '', given = [] }) => ({ family, given: given[0] ?? '' }));
  return {
    names: names
      .filter(({ family, given }) => searchable(family, normaliseName) && searchable(given, normaliseName))
      .slice(0, MAX_OF_A_KIND),
    birthDate: searchable(demographics.birthDate, normaliseDate) ? demographics.birthDate : null,
    mrns: some(mrns, normaliseRecordNumber),
    emails: some(telecom('email'), normaliseEmail),
    phones: some(telecom('phone'), (value) => normalisePhone(value, CALLING_CODE)),
  };
}

/** HL7 v2 table 0203, code MR. */
function isRecordNumber(type: unknown): boolean {
  const codings = (type as { coding?: readonly { code?: unknown }[] } | undefined)?.coding;
  return codings?.some(({ code }) => code === RECORD_NUMBER) ?? false;
}

const some = (values: readonly string[], normalise: (value: string) => string): string[] =>
  values.filter((value) => searchable(value, normalise)).slice(0, MAX_OF_A_KIND);

function searchable(value: string, normalise: (value: string) => string): boolean {
  try {
    normalise(value);
    return true;
  } catch {
    return false;
  }
}
