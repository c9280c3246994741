import type { PolicyDocument, PolicyFacts } from './facts.ts';
import { LAW } from './law.ts';
import { blank, cipherName, duration, listed, tableOf } from './words.ts';

const CUSTODY = {
  aws: (region: string) =>
    `Wrapping keys are in AWS KMS, region ${region}, one for each tenant, and never leave it. The server assumes a role by its own identity; no AWS secret is stored.`,
  emulator: () =>
    'Wrapping keys are in an emulator: this is a development stack, and this policy describes no production.',
  local: () =>
    'Wrapping keys are in the server’s environment. Whoever reads that environment and the database reads the charts: a key management service keeps the two apart.',
} as const;

/** Who holds which key, how long, and what happens when one is lost. */
export function keyManagement({ config, hosting, keys, encryption }: PolicyFacts): PolicyDocument {
  const { cache } = keys;
  return {
    id: 'key-management',
    title: 'Key management',
    body: `
Owner: ${blank('name and role of who answers for keys')}. Deputy: ${blank('name and role')}.

## Keys

${CUSTODY[config.kms](hosting.kmsRegion ?? blank('region'))}

${tableOf(
  ['Key', 'Where', 'Turned'],
  [
    [
      'tenant’s wrapping key',
      config.kms === 'aws' ? 'AWS KMS' : config.kms,
      config.kms === 'local'
        ? 'by hand: `chartseal keys rotate`'
        : `by KMS, every ${keys.wrappingKeyDays} days`,
    ],
    [
      'patient’s data key',
      `wrapped, in the ${config.store} store`,
      `before it is ${duration(config.keyMaxAgeMs)} old`,
    ],
    [
      'search index key',
      `wrapped, in the ${config.store} store`,
      `before it is ${duration(config.keyMaxAgeMs)} old`,
    ],
    [
      'card’s key',
      `wrapped, in the ${config.store} store; one for each card`,
      'never: it is destroyed with its card',
    ],
    [
      'signing and cookie secrets',
      `Secret Manager: ${listed(hosting.secrets)}`,
      `every ${blank('period')}, the new one first in its list`,
    ],
  ],
)}

Data keys are ${encryption.keyBits} bits. Unwrapped, one stays in memory for at most ${duration(cache.maxAgeMs)} or ${cache.maxUses} uses, and
at most ${cache.maxEntries} at a time; a wrapping key that is disabled shuts its charts within that time.

No law names a period of rotation; these are the periods of this configuration (${LAW.cycles} asks that one be defined).

## Rules

- The server’s role makes and unwraps data keys under one tenant’s encryption context. It can neither sign checkpoints nor
  administer keys. Other roles re-encrypt and sign.
- A key is destroyed only when every header has been looked at and none names it.
- Deletion of a wrapping key is asked for by ${blank('role')} and confirmed by ${blank('another role')}.
- A key that is, or may be, in wrong hands: follow “A key is, or may be, compromised” in docs/runbook.md.
`,
  };
}

/** What is encrypted with what. */
export function encryptionPolicy({ config, encryption, hosting }: PolicyFacts): PolicyDocument {
  const columns = Object.entries(encryption.columns).map(([kind, n]) => [kind, String(n)]);
  return {
    id: 'encryption',
    title: 'Encryption',
    body: `
Owner: ${blank('name and role')}.

## At rest

Everything of a chart is sealed by the application before it reaches the ${config.store} store: ${cipherName(encryption.cipher)}, a
${encryption.tagBits}-bit tag, a key for each value derived from the patient’s ${encryption.keyBits}-bit key by ${LAW.mac}, and a commitment to that
key. A sealed value opens only in its place. Charts are cut into ${listed(encryption.compartments)}; a call opens only the
parts that it was decided to need (${LAW.minimum}).

Searching uses keyed digests of ${listed(encryption.indexBits.map(String))} bits, the shorter ones on purpose: several people share a bucket.

Columns of stored bytes, by how they are protected:

${tableOf(['Protection', 'Columns'], columns)}

The database and its disks encrypt as well; that is the host’s word, and ${blank('where its attestation is kept')}.

## In transit

The public address is ${config.origin}. TLS below ${encryption.tlsFloor} must be refused; \`chartseal compliance report --url\` tries it.${
      config.store === 'firestore'
        ? ` Firestore (${hosting.firestoreLocation}) is reached over TLS alone.`
        : ' PostgreSQL must be reached with sslmode=verify-full.'
    }

## What is not encrypted by the application

Opaque ids, times, states, and what a clinic tells everybody. Audit events name people and fields by opaque ids and names of
fields, never by values.
`,
  };
}

/** What happens when something happened. */
export function incidentResponse({ alarms }: PolicyFacts): PolicyDocument {
  return {
    id: 'incident-response',
    title: 'Incident response',
    body: `
Incident lead: ${blank('name, role, telephone')}. Deputy: ${blank('name, role, telephone')}. Privacy officer: ${blank('name')}. Counsel: ${blank('name')}.

## How an incident is noticed

${tableOf(
  ['Alarm', 'From', 'Means'],
  alarms.map(({ name, from, means }) => [`\`${name}\``, from, means]),
)}

Alarms reach ${blank('who, by which channel')}. They are tried every ${blank('period')}.

## What is done

The steps are in docs/runbook.md: “A key is, or may be, compromised”, “The audit alarm”, “A region is lost”, “Breach
notification”. First the evidence is saved (\`chartseal audit export --format bundle\`, the journal, CloudTrail), then anything
is changed.

## Who is told (${LAW.breach})

- Individuals: without unreasonable delay and ${LAW.breachTold}.
- HHS: ${LAW.breachReported}. The media: ${LAW.breachMedia}.
- The supervisory authority, where the GDPR holds: ${LAW.breachAuthority}.
- Covered entities or associates, by contract: ${blank('who, and within which time')}.

Whether data was unsecured (${LAW.unsecured}) is decided by ${blank('role')}: sealed bytes without their keys, and the keys kept
apart. The decision is kept with its evidence (${LAW.documents}).
`,
  };
}
