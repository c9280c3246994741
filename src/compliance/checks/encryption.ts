import { type Check, cannotTell, count, judge } from '../check.ts';
import type { Facts } from '../facts.ts';
import { type Found, foundJson } from '../scan/places.ts';
import type { RowFacts } from '../scan/rows.ts';
import type { SealedFacts } from '../scan/sealed.ts';

/** What is known of stored rows, whoever’s they are. */
export interface StoredFacts {
  readonly rows: Pick<RowFacts, 'seen' | 'isPartial' | 'plaintext'> & {
    readonly sealed: Pick<SealedFacts, 'values' | 'byColumn' | 'otherwise' | 'readable'>;
  };
}

/** A check that is satisfied when a pass over the rows found nothing of a kind. */
const nothingFound = <F extends StoredFacts>(
  check: Pick<Check, 'id' | 'title' | 'remedy'>,
  of: (facts: F) => { found: Found; among: string; what: string },
): Check<F> => ({
  ...check,
  method: 'TEST',
  run: (facts) => {
    const { found, among, what } = of(facts);
    return judge(found.count === 0, {
      yes: `${among}: none ${what}.`,
      no: `${among}: ${found.count} ${what}, the first at ${found.first[0] ?? ''}.`,
      evidence: { ...(foundJson(found) as object), isSample: facts.rows.isPartial },
    });
  },
});

/** What lies in any store, looked at byte by byte. */
export const STORED_VALUES: readonly Check<StoredFacts>[] = [
  {
    id: 'sealed-values',
    title: 'Every sealed value is AES-256-GCM under a key of its own',
    method: 'TEST',
    remedy: 'Find who wrote the named rows past the sealing layer, and restore or erase them.',
    run: ({ rows: { sealed, isPartial } }) =>
      sealed.values === 0 && sealed.otherwise.count === 0
        ? cannotTell('No sealed value is stored yet. Run the report again once there is a chart.')
        : judge(sealed.otherwise.count === 0, {
            yes: `The headers of ${count(sealed.values, 'value')} all name suite 01 (AES-256-GCM, 128-bit tag, key commitment).`,
            no: `${count(sealed.otherwise.count, 'value')} in sealed columns are not in the sealed format, the first at ${sealed.otherwise.first[0] ?? ''}.`,
            evidence: {
              byColumn: sealed.byColumn,
              otherwise: foundJson(sealed.otherwise),
              isSample: isPartial,
            },
          }),
  },
  nothingFound(
    {
      id: 'no-plaintext-phi',
      title: 'No known shape of PHI lies in the rows in clear',
      remedy: 'Treat each named row as an incident: seal or erase it, and mend what wrote it.',
    },
    ({ rows: { plaintext } }) => ({
      found: plaintext.phi,
      among: `${count(plaintext.texts, 'readable text')} searched for names, dates, SSN, telephones, e-mail and FHIR`,
      what: 'found',
    }),
  ),
  nothingFound(
    {
      id: 'no-card-numbers',
      title: 'No card number lies in the rows in clear',
      remedy: 'Erase the named row and its backups, and keep cards in the vault alone.',
    },
    ({ rows: { plaintext } }) => ({
      found: plaintext.cards,
      among: `${count(plaintext.texts, 'readable text')} searched for card numbers (brand, length, check digit)`,
      what: 'found',
    }),
  ),
  nothingFound(
    {
      id: 'no-readable-bytes',
      title: 'No column of protected bytes holds readable text',
      remedy: 'Somebody wrote plaintext where ciphertext belongs: treat it as an incident.',
    },
    ({ rows: { sealed, seen } }) => ({ found: sealed.readable, among: count(seen, 'row'), what: 'readable' }),
  ),
];

/** What lies in Chartseal’s store. */
export const ENCRYPTION: readonly Check[] = [
  ...STORED_VALUES,
  nothingFound<Facts>(
    {
      id: 'bytes-declared',
      title: 'Of every column of bytes it is said how it is protected',
      remedy: 'Name the column in compliance/scan/stored-bytes.ts with how it is protected.',
    },
    ({ rows: { sealed, collections } }) => ({
      found: sealed.undeclared,
      among: count(Object.keys(collections).length, 'collection'),
      what: 'undeclared',
    }),
  ),
  nothingFound<Facts>(
    {
      id: 'values-have-owners',
      title: 'No sealed value outlives its patient’s key',
      remedy: 'Run the erasure of the named rows again: chartseal patient erase.',
    },
    ({ rows: { sealed } }) => ({
      found: sealed.orphans,
      among: count(sealed.values, 'sealed value'),
      what: 'without a key',
    }),
  ),
  nothingFound<Facts>(
    {
      id: 'keys-wrapped',
      title: 'Every stored data key is wrapped, by an exactly named key',
      remedy: 'A key that is not wrapped opens a chart: destroy it, and reencrypt that chart.',
    },
    ({ rows: { keyRows } }) => ({
      found: keyRows.unsound,
      among: count(keyRows.keys, 'stored key'),
      what: 'not wrapped, or named by an alias',
    }),
  ),
  nothingFound<Facts>(
    {
      id: 'keys-own-tenant',
      title: 'Every data key is wrapped by the tenant’s own key',
      remedy: 'Run chartseal keys rewrap for this tenant.',
    },
    ({ rows: { keyRows } }) => ({
      found: keyRows.foreign,
      among: count(keyRows.keys, 'stored key'),
      what: 'under another key',
    }),
  ),
];
