import type { PolicyDocument, PolicyFacts } from './facts.ts';
import { LAW } from './law.ts';
import { blank, cipherName, duration, listed, tableOf } from './words.ts';

/** Somebody outside whom data passes. */
interface Processor {
  readonly name: string;
  readonly where: string;
  readonly receives: string;
}

function processorsOf({ config, hosting, processors }: PolicyFacts): Processor[] {
  const { functionsRegion, firestoreLocation, kmsRegion } = hosting;
  const google = (product: string, where: string, receives: string): Processor => ({
    ...{ name: `Google Cloud: ${product}`, where, receives },
  });
  return [
    google('Cloud Functions, Cloud Run', functionsRegion, 'requests and answers, in memory while they run'),
    config.store === 'firestore'
      ? google('Firestore', firestoreLocation, 'sealed values, opaque ids, times, audit events')
      : {
          name: 'PostgreSQL',
          where: blank('host and place'),
          receives: 'sealed values, opaque ids, times, audit events',
        },
    google(
      'Identity Platform',
      blank('place'),
      'e-mail addresses and passwords’ hashes of those who sign in',
    ),
    google('Secret Manager', functionsRegion, listed(hosting.secrets)),
    google('Cloud Logging', blank('place'), 'codes and opaque ids; the journal’s hashes'),
    ...(config.checkpoints === 'bucket'
      ? [google('Cloud Storage', blank('place'), 'signed checkpoints of the audit log: hashes')]
      : []),
    ...(hosting.documents === 'bucket'
      ? [google('Cloud Storage', blank('place'), 'sealed bytes of documents')]
      : []),
    ...(config.kms === 'aws'
      ? [
          {
            name: 'AWS: KMS, CloudTrail',
            where: kmsRegion ?? '',
            receives: 'wrapped keys, tenants’ names, aliases of patients',
          },
        ]
      : []),
    ...processors.assistants.map((host) => ({
      ...{ name: `Assistant: ${host}`, where: blank('place') },
      receives: 'what tools answer, minimised; words of the person who asks',
    })),
    ...processors.identityProviders.map((id) => ({
      ...{ name: `Sign-in: ${id}`, where: blank('place'), receives: 'that somebody signs in here' },
    })),
    ...(processors.externalIssuer === null
      ? []
      : [
          {
            name: `Issuer of tokens: ${processors.externalIssuer}`,
            where: blank('place'),
            receives: 'that somebody signs in here',
          },
        ]),
    ...processors.witnesses.map((url) => ({
      ...{ name: `Witness: ${url}`, where: blank('place'), receives: 'checkpoints: hashes' },
    })),
  ];
}

/** Who processes for the organisation, and the agreement with each. */
export function processorList(facts: PolicyFacts): PolicyDocument {
  return {
    id: 'processors',
    title: 'Processors and agreements',
    body: `
Each needs an agreement before the first real patient (${LAW.contracts}). A provider’s agreement covers named products only:
look its list up on the day, and again every ${blank('period')}. Firebase-branded products are mostly not covered; Hosting is not
put in front of PHI.

${tableOf(
  ['Processor', 'Where', 'Receives', 'Agreement, signed on'],
  processorsOf(facts).map(({ name, where, receives }) => [name, where, receives, blank('agreement, date')]),
)}

A processor of card payments, when one is connected: ${blank('name, agreement, date')}.
`,
  };
}

/** Where data goes, and the record of processing activities. */
export function processingRecord(facts: PolicyFacts): PolicyDocument {
  const { config, access, encryption, requests, retention } = facts;
  return {
    id: 'processing-record',
    title: 'Data flow and record of processing',
    body: `
Controller: ${blank('name, address, contact')}. Representative: ${blank('name, or none')}. Data protection officer: ${blank('name, contact')}.

## Where data goes

\`\`\`
person ─ assistant ─ TLS ─► ${config.origin}/mcp ─ decide, open, minimise, record ─► answer
                                  │ sealed values, opaque ids        │ wrapped keys
                                  ▼                                  ▼
                            ${config.store} store                    ${config.kms} key management
                                  │ audit events: names of fields, never values
                                  ▼
                            journal and checkpoints, under another administrator
\`\`\`

Answers come in tiers: what the model reads, what a widget adds for the person, and what stays on our own pages.

## Record (${LAW.record})

${tableOf(
  ['', ''],
  [
    ['Purposes', `${listed(access.purposes)}; in words: ${blank('purposes and their legal basis')}`],
    ['Whose data', `people with the roles ${listed(access.roles)}, and patients without an account`],
    ['What data', `charts, cut into ${listed(encryption.compartments)}; visits; consents; audit events`],
    [
      'Recipients',
      processorsOf(facts)
        .map(({ name }) => name)
        .join('; '),
    ],
    ['Transfers to third countries', `${blank('countries and safeguards')} (${LAW.transfer})`],
    [
      'Until when',
      `see the retention policy: records ${config.recordMs > 0 ? duration(config.recordMs) : blank('time')}, audit events ${retention.auditYears} years, backups ${duration(config.backupMs)}`,
    ],
    [
      'Security',
      `${cipherName(encryption.cipher)} by the application; keys in ${config.kms}; an append-only log (${LAW.tree} tree${config.witnesses > 0 ? `, ${config.witnesses} witnesses` : ''})`,
    ],
    ['Rights', `${listed(requests.kinds)}, answered within ${duration(requests.answerMs)} (${LAW.access})`],
  ],
)}
`,
  };
}
