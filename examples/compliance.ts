/**
 * Looks at an app's own rows, keys, access and audit log, and says what it saw. It needs nothing that runs:
 *
 *   node examples/compliance.ts
 *
 * In an app of yours the rows come from a query's stream, the keys from your key management service, the accesses
 * from the database's or the key service's own log. It exits 1 when a finding is not satisfied: here one row is in
 * clear, on purpose.
 */
import {
  checkAccessControl,
  checkEncryptionAtRest,
  checkKeyRotation,
  checkPhiAccessLogging,
  type Finding,
  type StoredRow,
} from 'chartseal/compliance';
import { DataKeys, LocalKeyring, localKeyId, sealFields } from 'chartseal/crypto';

const DAY_MS = 86_400_000;
const now = Date.now();
const SEALED = ['name', 'visits.*.note'] as const;
const hex = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex');
const dataKeys = new DataKeys({ keyring: new LocalKeyring([{ version: 1, hex, status: 'active' }]) });

async function* people(): AsyncGenerator<StoredRow> {
  for (const id of ['p1', 'p2']) {
    const owner = { tenant: 'riverside', subject: id };
    const { key } = await dataKeys.createDataKey(localKeyId(1), owner);
    const place = { ...owner, collection: 'people', document: id, schema: 1, revision: 1 };
    const person = { name: 'Zoë Quinn', city: 'Riverside', visits: [{ note: 'asked about sleep' }] };
    yield { id, fields: sealFields(person, SEALED, { key, place }) };
  }
  yield { id: 'p3', fields: { name: 'Lena Ostrow', city: 'Riverside', visits: [] } };
}

const findings: Finding[] = [
  ...(await checkEncryptionAtRest([{ name: 'people', sealed: SEALED, rows: people() }])),
  ...checkKeyRotation(
    [
      { id: 'kms', kind: 'wrapping', state: 'enabled', createdAt: now - 900 * DAY_MS, rotatesEveryDays: 365 },
      { id: 'p1', kind: 'data', state: 'enabled', createdAt: now - 30 * DAY_MS, rotatesEveryDays: null },
    ],
    { now, maxAgeMs: 365 * DAY_MS },
  ),
  ...(await checkAccessControl({
    roles: [
      { name: 'nurse', needsSecondFactor: true },
      { name: 'patient', needsSecondFactor: false },
    ],
    accounts: [{ id: 'u1', role: 'nurse', hasSecondFactor: true }],
    cases: [
      { role: 'nurse', action: 'readChart', allowed: true },
      { role: 'patient', action: 'readOthersChart', allowed: false },
    ],
    decide: ({ role, action }) => role === 'nurse' && action === 'readChart',
  })),
  ...(await checkPhiAccessLogging({
    accesses: [{ id: 'kms-line-1', at: now, subject: 'p1' }],
    events: [
      {
        ...{ id: 'e1', at: now - 200, subject: 'p1', actor: 'u1', role: 'nurse' },
        ...{ purpose: 'TREAT', policy: 'nurses-read' },
      },
    ],
  })),
];

for (const { status, check, summary } of findings)
  process.stdout.write(`${status.padEnd(13)}  ${check.padEnd(19)}  ${summary}\n`);
process.exitCode = findings.some(({ status }) => status === 'notSatisfied') ? 1 : 0;
