/**
 * Sealed fields in Firestore. Run it on the emulator:
 *
 *   export FIRESTORE_EMULATOR_HOST=127.0.0.1:8080 GOOGLE_CLOUD_PROJECT=demo-app
 *   export CHARTSEAL_LOCAL_KEY=$(openssl rand -hex 32)
 *   node examples/firestore.ts
 *
 * The wrapping key here is local. With AWS KMS it is `new KmsKeyring()` and a key ARN: see postgres.ts.
 */
import { Firestore } from '@google-cloud/firestore';
import {
  DataKeys,
  type FieldPlace,
  type KeyEnvelope,
  LocalKeyring,
  localKeyId,
  openFields,
  type SealedFields,
  sealFields,
} from 'chartseal/crypto';

interface Person {
  city: string;
  name: string;
  born: Date;
  contact: { phone: string | null; language: string };
  visits: { at: Date; note: string }[];
}

// Named once, used on both sides: a field that is not sealed where it should be is refused.
const SEALED = ['name', 'born', 'contact.phone', 'visits.*.note'] as const;
type StoredPerson = SealedFields<Person, (typeof SEALED)[number]>;

const db = new Firestore();
const hex = process.env['CHARTSEAL_LOCAL_KEY'] ?? '';
const dataKeys = new DataKeys({ keyring: new LocalKeyring([{ version: 1, hex, status: 'active' }]) });

// One data key for each person. Its envelope is stored beside the document; only the keyring can open it.
const id = `person_${Date.now()}`;
const owner = { tenant: 'riverside', subject: id };
const { key, envelope } = await dataKeys.createDataKey(localKeyId(1), owner);
await db.doc(`keys/${id}`).create({ ...envelope });

// Where the fields belong. Copied to another person, collection or revision they do not open.
const place: FieldPlace = { ...owner, collection: 'people', document: id, schema: 1, revision: 1 };
const person: Person = {
  city: 'Riverside',
  name: 'Zoë Quinn',
  born: new Date('1980-02-29'),
  contact: { phone: null, language: 'en' },
  visits: [{ at: new Date('2026-11-24'), note: '{"looks": "like JSON"}' }],
};
const sealed = sealFields(person, SEALED, { key, place });
await db.doc(`people/${id}`).create({ ...sealed, revision: place.revision });

// Later, elsewhere: load the key, open the fields.
const stored = await db.doc(`people/${id}`).get();
const loaded = await dataKeys.loadDataKey((await db.doc(`keys/${id}`).get()).data() as KeyEnvelope, owner);
const { revision, ...document } = stored.data() as StoredPerson & { revision: number };
const opened = openFields(document, SEALED, { keys: [loaded], place: { ...place, revision } });

process.stdout.write(`${opened.name}, born ${opened.born.toISOString()}, phone ${opened.contact.phone}\n`);
process.stdout.write(`${opened.visits[0]?.note}\n`);
await db.terminate();
