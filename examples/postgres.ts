/**
 * Sealed fields in PostgreSQL, with the keys in AWS KMS:
 *
 *   export DATABASE_URL=postgres://… KMS_KEY_ARN=arn:aws:kms:…:key/…
 *   node examples/postgres.ts
 *
 * Credentials come from AWS's default chain. For an emulator set AWS_ENDPOINT_URL_KMS.
 */
import {
  DataKeys,
  DEFAULT_KEY_CACHE,
  type FieldPlace,
  KeyCache,
  KmsKeyring,
  openFields,
  type SealedFields,
  sealFields,
} from 'chartseal/crypto';
import { Client } from 'pg';

interface Person {
  name: string;
  /** A bigint column would do for the number, and show it. */
  account: bigint;
  contact: { phone: string; language: string };
}

// A bytea column holds a sealed field as bytes; in a jsonb column it is text.
const COLUMNS = ['name', 'account'] as const;
const IN_JSON = ['contact.phone'] as const;
type StoredPerson = SealedFields<Person, (typeof COLUMNS)[number] | (typeof IN_JSON)[number]>;

const db = new Client({ connectionString: process.env['DATABASE_URL'] });
await db.connect();
await db.query(`
  CREATE TEMPORARY TABLE data_keys (subject text, version int, key_id text, blob bytea, PRIMARY KEY (subject, version));
  CREATE TEMPORARY TABLE people (id text PRIMARY KEY, revision bigint, name bytea, account bytea, contact jsonb);
`);

// A key that was unwrapped is kept for five minutes at most: KMS is not called for each row.
const cache = new KeyCache(DEFAULT_KEY_CACHE, Date.now);
const dataKeys = new DataKeys({ keyring: new KmsKeyring(), cache });

// One data key for each person. The primary key makes it create-only; seal nothing before it is stored.
const id = `person_${Date.now()}`;
const owner = { tenant: 'riverside', subject: id };
const { key, envelope } = await dataKeys.createDataKey(process.env['KMS_KEY_ARN'] ?? '', owner);
await db.query('INSERT INTO data_keys VALUES ($1, $2, $3, $4)', [
  id,
  envelope.version,
  envelope.keyId,
  envelope.blob,
]);

// Where the fields belong. Copied to another row, table or revision they do not open.
const place: FieldPlace = { ...owner, collection: 'people', document: id, schema: 1, revision: 1 };
const person: Person = {
  name: 'Zoë Quinn',
  account: 9_007_199_254_740_993n,
  contact: { phone: '+1 555 0100', language: 'en' },
};
const columns = sealFields(person, COLUMNS, { key, place });
const row = sealFields(columns, IN_JSON, { key, place, as: 'text' });
await db.query('INSERT INTO people VALUES ($1, $2, $3, $4, $5)', [
  id,
  place.revision,
  row.name,
  row.account,
  row.contact,
]);

// Later, elsewhere: load the key, open the fields.
const keyRows = await db.query('SELECT version, key_id AS "keyId", blob FROM data_keys WHERE subject = $1', [
  id,
]);
const keys = await Promise.all(keyRows.rows.map((one) => dataKeys.loadDataKey(one, owner)));
const { rows } = await db.query<StoredPerson & { revision: string }>(
  'SELECT revision, name, account, contact FROM people WHERE id = $1',
  [id],
);
for (const { revision, ...stored } of rows) {
  const at = { keys, place: { ...place, revision: Number(revision) } };
  const opened = openFields(openFields(stored, IN_JSON, at), COLUMNS, at);
  process.stdout.write(`${opened.name}, account ${opened.account}, phone ${opened.contact.phone}\n`);
}
await db.end();
