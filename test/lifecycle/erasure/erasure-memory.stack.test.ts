import { beforeEach, describe, expect, test } from 'vitest';
import { putRelationship } from '../../../src/access/relationships.ts';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { DOCUMENT_LIMITS } from '../../../src/clinic/documents/document.ts';
import { Documents } from '../../../src/clinic/documents/documents.ts';
import { OBJECT_CALL_MS } from '../../../src/clinic/documents/object-store.ts';
import { COLLECTIONS } from '../../../src/collections.ts';
import { LocalKeyring, localKeyId } from '../../../src/crypto/local-keyring.ts';
import { type PatientRef, patientKeys, patientKeyVersions } from '../../../src/crypto/patient-keys.ts';
import { ref } from '../../../src/kernel/collection.ts';
import type { UserId } from '../../../src/kernel/ids.ts';
import { receiptOf } from '../../../src/lifecycle/erasure/erase.ts';
import { legalHoldRef } from '../../../src/lifecycle/erasure/legal-holds.ts';
import { tombstonesOutside } from '../../../src/lifecycle/erasure/outside-tombstones.ts';
import { PURGED } from '../../../src/lifecycle/erasure/purge.ts';
import { reapplyTombstones } from '../../../src/lifecycle/erasure/reapply.ts';
import { refusalOf, treatedAt } from '../../../src/lifecycle/erasure/rules.ts';
import { privacyRequests } from '../../../src/lifecycle/requests/request.ts';
import { createWorld } from '../../crypto/world.ts';
import type { MemoryObjects } from '../../doubles/memory-objects.ts';
import { createMemoryStore, type MemoryStore } from '../../doubles/memory-store.ts';
import { ENTRY, openPrivacy, PLANTED } from '../house.ts';

const DAY_MS = 86_400_000;
const isDeletion = ({ action, entity }: AuditEvent): boolean =>
  action === 'D' && entity?.resource === 'Patient';

describe('an erasure', () => {
  let store: MemoryStore;
  let at: Awaited<ReturnType<typeof openPrivacy>>;
  let of: PatientRef;
  beforeEach(async () => {
    store = createMemoryStore();
    at = await openPrivacy(store);
    of = await at.plant();
  });
  const rows = () =>
    [...(store.rows.get(at.tenant) ?? [])].map(([id, row]) => `${id} ${JSON.stringify(row)}`);
  /** Rows that still name the handle, by collection. */
  const named = () =>
    rows()
      .filter((row) => row.includes(of.patient))
      .map((row) => row.split('/')[0]);

  test('waits for the cooling-off, then leaves the tombstone, the request, and no other row that names the patient', async () => {
    const id = await at.approved(of);
    at.clock.now -= 1;
    await at.round();
    expect((await at.requests.find(of, id, at.clock.now)).state).toBe('cooling');
    at.clock.now += 1;
    await at.round();
    expect(at.faults).toEqual([]);
    expect((await at.requests.find(of, id, at.clock.now)).state).toBe('done');
    expect(named()).toEqual(['privacyRequests', 'tombstones']);
    expect(await at.charts.read(of, [])).toBeNull();
    expect(await at.patients.aliasOf(of)).toBeNull();
    expect(at.forgotten).toEqual(['usr_planted']);
  });

  test('takes the bytes of documents, what an upload left, and waits for one that still runs', async () => {
    const objects = at.parts.objects as MemoryObjects;
    expect(objects.kept.size).toBe(3);
    objects.failAfter(1);
    const dead = new Documents({
      ...at.parts,
      objects: { ...objects, list: () => Promise.reject(new Error('killed')) },
    });
    const entry = () => ({ ...ENTRY, action: 'C' as const });
    const bytes = (async function* () {
      yield Buffer.alloc(2_000_000, 'x');
    })();
    const id = await at.approved(of);
    await dead
      .add(of, { title: 'T', kind: 'other', addedBy: 'patient', bytes }, entry)
      .catch(() => undefined);
    expect([objects.kept.size, named().includes('documentUploads')]).toEqual([4, true]);
    await at.round();
    expect(at.faults.splice(0)).toMatchObject([{ code: 'ERASURE_UPLOAD', retryable: true }]);
    expect([objects.kept.size, await at.charts.read(of, [])]).toEqual([0, null]);
    at.clock.now += DOCUMENT_LIMITS.uploadMs + OBJECT_CALL_MS;
    await at.round();
    expect((await at.requests.find(of, id, at.clock.now)).state).toBe('done');
    expect([objects.kept.size, named()]).toEqual([0, ['privacyRequests', 'tombstones']]);
  });

  test('gives a receipt: what is gone now, and when the last copy is', async () => {
    const id = await at.approved(of);
    await at.round();
    const receipt = await receiptOf(store, { of, request: id });
    const now = at.clock.now;
    expect(receipt).toMatchObject({
      outside: true,
      logicalAt: now,
      purgedAt: now,
      finalAt: now + 35 * DAY_MS,
    });
    const told = (await at.events()).filter(({ patient }) => patient === receipt?.alias).slice(-1);
    const deletions = (await at.events()).filter(isDeletion);
    expect(deletions).toMatchObject([
      { patient: receipt?.alias, entity: { resource: 'Patient' }, outcome: '0' },
    ]);
    expect(told).toHaveLength(1);
  });

  test('gives the times back that the patient took', async () => {
    const december = { from: Date.parse('2026-12-08T00:00Z'), to: Date.parse('2026-12-09T00:00Z') };
    expect((await at.reader.busy(['dr'], december)).length).toBeGreaterThan(0);
    await at.approved(of);
    await at.round();
    expect(await at.reader.busy(['dr'], december)).toEqual([]);
  });

  test('leaves everybody else as they were', async () => {
    const other = await at.newPatient();
    await at.book(other, at.slot('2026-12-09T09:00'));
    await at.reader.transact(async (tx) =>
      putRelationship(tx, {
        user: 'usr_q' as UserId,
        patient: other.patient,
        kind: 'proxy',
        expiresAt: 1e15,
      }),
    );
    const before = rows().filter((row) => row.includes(other.patient));
    await at.approved(of);
    await at.round();
    expect(rows().filter((row) => row.includes(other.patient))).toEqual(before);
    expect(await at.visits(other)).toHaveLength(1);
  });

  test('from its first step on nobody reads or writes the chart, and no key is made for the handle again', async () => {
    const id = await at.approved(of);
    // Barrier, then death: the next commit is never made.
    await at.dyingRound(1);
    expect((await at.requests.find(of, id, at.clock.now)).state).toBe('erasing');
    expect(await at.charts.read(of, [])).toBeNull();
    await expect(at.book(of, at.slot('2026-12-10T09:00'))).rejects.toMatchObject({ code: 'KEY_MISSING' });
    await at.round();
    await expect(at.keys.ensure(of)).rejects.toMatchObject({ code: 'KEY_MISSING' });
  });

  test('killed after any number of commits and run again, it ends the same', async () => {
    for (let commits = 0; ; commits += 1) {
      const victim = commits === 0 ? of : await at.plant();
      const id = await at.approved(victim);
      await at.dyingRound(commits);
      const finished = (await at.requests.find(victim, id, at.clock.now)).state === 'done';
      await at.round();
      expect((await at.requests.find(victim, id, at.clock.now)).state).toBe('done');
      const left = rows().filter((row) => row.includes(victim.patient));
      expect(left.map((row) => row.split('/')[0])).toEqual(['privacyRequests', 'tombstones']);
      const { alias = '' } = (await receiptOf(store, { of: victim, request: id })) ?? {};
      const mine = (await at.events()).filter((event) => event.patient === alias && isDeletion(event));
      expect(mine).toHaveLength(1);
      if (finished) {
        expect(commits).toBeGreaterThan(6);
        break;
      }
    }
  });

  test('two rounds at once end as one', async () => {
    const id = await at.approved(of);
    await Promise.all([at.round(), at.round(), at.round()]);
    await at.round();
    expect((await at.requests.find(of, id, at.clock.now)).state).toBe('done');
    expect((await at.events()).filter(isDeletion)).toHaveLength(1);
    expect(named()).toEqual(['privacyRequests', 'tombstones']);
  });

  test('waits until the export that goes before it is made', async () => {
    const id = await at.approved(of);
    const exported = await at.start(of, 'export');
    const [row] = await at.reader.get(ref(privacyRequests, id));
    if (row === null) throw new Error('no request');
    await at.reader.transact(async (tx) => tx.put(ref(privacyRequests, id), { ...row, linked: exported }));
    await at.round();
    expect((await at.requests.find(of, id, at.clock.now)).state).toBe('cooling');
    await at.step(of, exported, { step: 'confirm' });
    await at.round();
    await at.round();
    expect((await at.requests.find(of, id, at.clock.now)).state).toBe('done');
  });

  test('a legal hold that came meanwhile refuses it, with the reason, and nothing is gone', async () => {
    const id = await at.approved(of);
    await at.reader.transact(async (tx) => tx.put(legalHoldRef(of.patient), { by: 'usr_admin', since: 0 }));
    await at.round();
    expect(await at.requests.find(of, id, at.clock.now)).toMatchObject({
      state: 'refused',
      reason: 'legal-hold',
    });
    expect((await at.charts.read(of, []))?.chart.names().length).toBeGreaterThan(4);
  });

  test('retention refuses it until the years after the last treatment are over', async () => {
    const id = await at.approved(of);
    await at.round({ rules: { recordMs: 10 * 366 * DAY_MS, backupMs: 0 } });
    expect(await at.requests.find(of, id, at.clock.now)).toMatchObject({
      state: 'refused',
      reason: 'retention',
    });
  });

  test('retention counts from a visit that took place, a dated entry or the clinic’s document, not from one to come', () => {
    const visit = (status: 'booked' | 'fulfilled', end: number) => ({ status, end });
    expect(treatedAt({ visits: [visit('booked', 5), visit('fulfilled', 3)] }, 10)).toBe(3);
    expect(treatedAt({ visits: [visit('fulfilled', 30)] }, 10)).toBeNull();
    const document = (addedBy: string, addedAt: number) => ({ addedBy, addedAt });
    expect(treatedAt({ documents: [document('clinician', 4), document('frontdesk', 6)] }, 10)).toBe(6);
    expect(treatedAt({ documents: [document('patient', 4), document('proxy', 6)] }, 10)).toBeNull();
    const clinical = { resources: [{ resourceType: 'Condition', recordedDate: '2020-01-01' } as const] };
    expect(treatedAt({ chart: { clinical } }, Date.now())).toBe(Date.parse('2020-01-01'));
    const rules = { recordMs: 10, backupMs: 0 };
    expect(refusalOf({ treatedAt: 5, held: false, now: 14 }, rules)).toBe('retention');
    expect(refusalOf({ treatedAt: 5, held: false, now: 15 }, rules)).toBeNull();
    expect(refusalOf({ treatedAt: null, held: true, now: 15 }, rules)).toBe('legal-hold');
  });

  test('a restored backup beside the keys of today does not open, and the tombstone outside erases it again', async () => {
    const backup = new Map(
      [...(store.rows.get(at.tenant) ?? [])].map(([id, row]) => [id, structuredClone(row)]),
    );
    await at.approved(of);
    await at.round();
    const live = store.rows.get(at.tenant);
    const restore = (wanted: (id: string) => boolean): void => {
      for (const [id, row] of backup)
        if (wanted(id) && !id.startsWith('audit')) live?.set(id, structuredClone(row));
      live?.delete(`tombstones/${of.patient}`);
    };
    restore((id) => !id.startsWith('patientKeyVersions/'));
    at.keys.flush(at.tenant);
    await expect(at.charts.read(of, [])).rejects.toMatchObject({ code: 'KEY_MISSING' });
    // Even with its key rows: whoever restores applies the tombstones first.
    restore(() => true);
    expect(await reapplyTombstones(at.parts, at.tenant)).toEqual({ tombstones: 1, erasedAgain: 1 });
    expect(await at.charts.read(of, [])).toBeNull();
    expect(named()).toEqual(['privacyRequests', 'tombstones']);
    expect(await reapplyTombstones(at.parts, at.tenant)).toEqual({ tombstones: 1, erasedAgain: 0 });
  });

  test('once the clinic has a new wrapping key and the old one is deleted, no backup from before opens, key rows and all', async () => {
    const other = await at.imported();
    const rowsNow = store.rows.get(at.tenant);
    const backup = [...(rowsNow ?? [])].filter(([id]) => id.includes(of.patient));
    await at.approved(of);
    await at.round();
    const local = (status: 'active' | 'deleted') =>
      new LocalKeyring([
        { version: 1, hex: 'ab'.repeat(32), status },
        { version: 2, hex: 'cd'.repeat(32), status: 'active' },
      ]);
    // What a rewrap does to every wrapped key that is left.
    const at2 = ref(patientKeyVersions, `${other.patient}_1`);
    const [version, key] = await at.reader.get(at2, ref(patientKeys, other.patient));
    const context = { app: 'chartseal', tenant: at.tenant, patient: key?.alias ?? '', version: '1' };
    const wrapped = { keyId: version?.keyId ?? '', blob: version?.wrapped ?? new Uint8Array() };
    const { keyId, blob } = await local('active').rewrap(wrapped, context, localKeyId(2));
    await at.reader.transact(async (tx) =>
      tx.put(at2, { keyId, wrapped: blob, material: null, createdAt: 0 }),
    );
    for (const [id, row] of backup) rowsNow?.set(id, structuredClone(row));
    const today = createWorld({ store, keyring: local('deleted'), keyId: localKeyId(2) }).charts;
    expect((await today.read(other, []))?.chart.names()).toHaveLength(4);
    await expect(today.read(of, [])).rejects.toMatchObject({ code: 'KEY_DISABLED' });
  });

  test('without a place outside, the store’s own tombstones count', async () => {
    const inside = await openPrivacy(store, { outside: null });
    const patient = await inside.plant();
    const id = await inside.approved(patient);
    await inside.round();
    expect(await receiptOf(store, { of: patient, request: id })).toMatchObject({ outside: false });
    expect(await reapplyTombstones(inside.parts, inside.tenant)).toEqual({ tombstones: 1, erasedAgain: 0 });
  });

  test('the stored shape of a tombstone outside is pinned', async () => {
    const id = await at.approved(of);
    await at.round();
    const { outside } = at.parts;
    if (outside === null) throw new Error('no place outside');
    const bytes = await outside.read(at.tenant, 'tombstone', 1);
    expect(JSON.parse(Buffer.from(bytes ?? []).toString())).toEqual({
      v: 1,
      patient: of.patient,
      request: id,
      erasedAt: at.clock.now,
    });
    const all = [];
    for await (const tombstone of tombstonesOutside(outside, at.tenant)) all.push(tombstone);
    expect(all).toHaveLength(1);
  });

  test('nothing of what was planted is in any row, before or after', async () => {
    const text = () => rows().join('\n');
    for (const planted of PLANTED) expect(text()).not.toContain(planted);
    await at.approved(of);
    await at.round();
    for (const planted of PLANTED) expect(text()).not.toContain(planted);
  });

  test('every collection that names patients is one that an erasure empties', () => {
    const naming = COLLECTIONS.filter(({ columns }) => 'patient' in columns).map(({ name }) => name);
    expect(naming.length).toBeGreaterThan(8);
    const purged = PURGED.map(({ name }) => name);
    expect(naming.filter((name) => !purged.includes(name))).toEqual([]);
  });
});
