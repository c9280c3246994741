import { readFileSync } from 'node:fs';
import { v1 } from '@google-cloud/firestore';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { type Firestore, getFirestore, Timestamp } from 'firebase-admin/firestore';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { collection, ref } from '../../../src/kernel/collection.ts';
import type { Store, Transaction } from '../../../src/kernel/store.ts';
import { openFirestoreStore } from '../../../src/storage/firestore/open-store.ts';
import {
  aClaim,
  aThing,
  claim,
  codeOf,
  freshTenantId,
  thing,
  things,
} from '../../contracts/store/subject.ts';
import { firestoreHost } from '../../stack/addresses.ts';
import { describeNeeding } from '../../stack/needs.ts';

const PROJECT = 'demo-chartseal';

describeNeeding('firestore', 'rows at rest in the official Firestore emulator', () => {
  const app = initializeApp({ projectId: PROJECT }, 'at-rest');
  let db: Firestore;
  let store: Store;
  let host: string;
  beforeAll(() => {
    host = firestoreHost();
    store = openFirestoreStore({ projectId: PROJECT, emulatorHost: host });
    db = getFirestore(app);
    db.settings({ host, ssl: false });
  });
  afterAll(async () => {
    await store.close();
    await deleteApp(app);
  });

  test('a row is one document at tenants/{tenant}/{collection}/{id}', async () => {
    const id = freshTenantId();
    await store.tenant(id).transact(async (tx) => tx.create(thing('one'), { ...aThing, maybeConfig: [[1]] }));
    const document = await db.doc(`tenants/${id}/contractThings/one`).get();
    expect(document.data()).toEqual({
      name: 'a',
      count: 1,
      open: true,
      at: new Timestamp(1_795_478_400, 0),
      sealed: Buffer.from([0xc5, 0, 255]),
      config: '{"days":[["mon",1],[]],"note":null}',
      maybeName: null,
      maybeCount: null,
      maybeOpen: null,
      maybeAt: null,
      maybeSealed: null,
      maybeConfig: '[[1]]',
    });
  });

  test('a claim is one document for each cell, naming nothing but the booking', async () => {
    const id = freshTenantId();
    await claim(store.tenant(id), aClaim('bk_1', 0, 2));
    const { docs } = await db.collection(`tenants/${id}/cells`).get();
    expect(docs.map((document) => [document.id, document.data()])).toEqual([
      ['dr_1_005984928', { booking: 'bk_1', at: new Timestamp(1_795_478_400, 0) }],
      ['dr_1_005984929', { booking: 'bk_1', at: new Timestamp(1_795_478_700, 0) }],
    ]);
  });

  test('each call is the fewest exchanges with Firestore', async () => {
    const names = ['commit', 'batchGetDocuments', 'runQuery', 'beginTransaction'] as const;
    const spies = names.map((name) => vi.spyOn(v1.FirestoreClient.prototype, name));
    const exchanges = async (call: Promise<unknown>): Promise<string[]> => {
      await call;
      const seen = names.flatMap((name, index) => Array(spies[index]?.mock.calls.length).fill(name));
      for (const spy of spies) spy.mockClear();
      return seen;
    };
    const tenant = store.tenant(freshTenantId());
    const write = async (tx: Transaction): Promise<void> => {
      tx.create(thing('one'), aThing);
      tx.claim(aClaim('bk_1', 0, 6));
    };
    expect(await exchanges(tenant.transact(write))).toEqual(['commit']);
    expect(await exchanges(tenant.get(thing('one'), thing('two'), thing('one')))).toEqual([
      'batchGetDocuments',
    ]);
    expect(await exchanges(tenant.transact(async (tx) => await tx.get(thing('one'), thing('two'))))).toEqual([
      'commit',
      'batchGetDocuments',
    ]);
    for (const spy of spies) spy.mockRestore();
  });

  test.each([
    ['text for an integer', { count: '1' }],
    ['a number for an instant', { at: 5 }],
    ['text for bytes', { sealed: 'AA==' }],
    ['a map for json text', { config: { a: 1 } }],
    ['text that is not json', { config: 'canary {' }],
    ['a fraction', { count: 0.5 }],
    ['null where none is allowed', { name: null }],
  ])('a document with %s is refused when it is read', async (_, change) => {
    const id = freshTenantId();
    const tenant = store.tenant(id);
    await tenant.transact(async (tx) => tx.create(thing('one'), aThing));
    await db.doc(`tenants/${id}/contractThings/one`).update(change);
    expect(await codeOf(tenant.get(thing('one')))).toBe('ROW_SHAPE');
    expect(await codeOf(tenant.list(things, { limit: 1 }))).toBe('ROW_SHAPE');
    const error = await tenant.get(thing('one')).catch((thrown: Error) => thrown);
    expect(String(error)).not.toContain('canary');
  });

  test('a column that was added later and may be null reads as null; one that was dropped is left out', async () => {
    const id = freshTenantId();
    await db.doc(`tenants/${id}/contractLater/one`).set({ a: 'x', dropped: 1 });
    const later = collection('contractLater', { a: 'text', b: 'text?' });
    expect(await store.tenant(id).get(ref(later, 'one'))).toEqual([{ a: 'x', b: null }]);
  });

  test('the rules refuse every client that is not the server', async () => {
    const url = `http://${host}/v1/projects/${PROJECT}/databases/(default)/documents/tenants/t/contractThings/one`;
    for (const token of [null, unsignedToken()]) {
      const headers = token === null ? {} : { authorization: `Bearer ${token}` };
      const read = await fetch(url, { headers });
      const write = await fetch(url, { method: 'PATCH', headers, body: '{"fields":{}}' });
      expect([read.status, write.status]).toEqual([403, 403]);
    }
  });
});

/** What the emulator takes for a signed-in person. */
function unsignedToken(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    sub: 'user',
    aud: PROJECT,
    iss: `https://securetoken.google.com/${PROJECT}`,
    iat: 0,
    exp: 9e9,
  };
  return `${part({ alg: 'none' })}.${part(claims)}.`;
}

test('sealed columns are exempt from indexes', () => {
  const { fieldOverrides } = JSON.parse(readFileSync('firestore.indexes.json', 'utf8')) as {
    fieldOverrides: { collectionGroup: string; fieldPath: string; indexes: unknown[] }[];
  };
  expect(fieldOverrides.filter(({ indexes }) => indexes.length > 0)).toEqual([]);
  const exempt = fieldOverrides.map(({ collectionGroup, fieldPath }) => `${collectionGroup}.${fieldPath}`);
  for (const name of [
    'chartValues.sealed',
    'patientKeyVersions.wrapped',
    'auditEvents.leaf',
    'auditPending.leafHash',
  ])
    expect(exempt).toContain(name);
});
