import { ListKeysCommand } from '@aws-sdk/client-kms';
import { expect, test } from 'vitest';
import { findClinic, tenants } from '../../src/clinic/clinic.ts';
import { COLLECTIONS } from '../../src/collections.ts';
import { keyVersionRef } from '../../src/crypto/patient-keys.ts';
import { ref } from '../../src/kernel/collection.ts';
import { newPatientId, SYSTEM_TENANT, type TenantId } from '../../src/kernel/ids.ts';
import { workJob } from '../../src/lifecycle/jobs/worker.ts';
import { readEpoch, setStrong } from '../../src/lifecycle/rotation/key-epochs.ts';
import { EPOCH_MS, SETTLE_MS, stepEpoch, turnIfDue } from '../../src/lifecycle/rotation/turn-epoch.ts';
import { codeOfAsync } from '../crypto/code-of.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { drillStrongErasure, openEpochs } from './epoch-house.ts';
import { BY, DAY, openKeyHouse, textOf } from './key-house.ts';

test('every collection that holds wrapped keys is rewrapped and proven, or it would die with the old key', async () => {
  const { rotations } = await openEpochs(createMemoryStore());
  const { phases } = rotations.kindOf('rewrap');
  for (const proves of [false, true]) {
    const reached = phases.filter((phase) => phase.proves === proves).map(({ of }) => of.name);
    const wrapped = COLLECTIONS.filter(({ columns }) => 'wrapped' in columns).map(({ name }) => name);
    expect(reached.sort()).toEqual(wrapped.sort());
  }
});

test('a turn: a new key, everything wrapped by it, the proof, and only then the old key’s end', async () => {
  const at = await openEpochs(createMemoryStore());
  const of = await at.newPatient();
  const begun = await at.step();
  expect(begun.state).toBe('moving');
  if (begun.state !== 'moving') return;
  expect(await at.step()).toEqual(begun);
  await workJob(at.rotations.jobs, at.tenant, begun.job);
  expect(await at.step()).toEqual({ state: 'waiting', until: at.clock.now + SETTLE_MS });
  expect(await at.stateOf(at.made)).toBe('Enabled');
  at.clock.now += SETTLE_MS;
  const deletedAt = at.clock.now + 7 * DAY;
  const ended = await at.step();
  expect(ended).toMatchObject({ state: 'ended', from: at.made });
  expect(Math.abs((ended.state === 'ended' ? ended.deletedAt : 0) - deletedAt)).toBeLessThan(2_000);
  const { keyId } = await findClinic(at.store, at.tenant);
  expect([await at.stateOf(at.made), await at.stateOf(keyId)]).toEqual(['PendingDeletion', 'Enabled']);
  expect(await at.admin.wrappingKey(at.tenant)).toBe(keyId);
  expect(await at.admin.isOurs(at.tenant, keyId)).toBe(true);
  at.keys.flush(at.tenant);
  expect(await textOf(at, of, 'a')).toBe('one');
  const told = (await at.events()).map(({ operation }) => operation);
  for (const operation of ['beginKeyEpoch', 'endWrappingKey', 'wrappingKeyEnds'])
    expect(told.filter((one) => one === operation)).toHaveLength(1);
  // The next turn leaves this key.
  await at.turn();
  expect(await at.stateOf(keyId)).toBe('PendingDeletion');
});

test('after the old key’s end an old backup of data and keys opens nothing; with the keys of today everybody who stayed opens', () =>
  drillStrongErasure(createMemoryStore(), async () => createMemoryStore()));

test('the old key stays while anything is wrapped by it: set aside, or written after the job’s proof', async () => {
  const at = await openEpochs(createMemoryStore());
  const of = await at.newPatient();
  const [row] = await at.rows.get(keyVersionRef(of.patient, 1));
  if (row === null) throw new Error('no key');
  const orphan = keyVersionRef(newPatientId(), 1);
  await at.rows.transact(async (tx) => tx.create(orphan, row));
  const begun = await at.step();
  if (begun.state !== 'moving') throw new Error(begun.state);
  await workJob(at.rotations.jobs, at.tenant, begun.job);
  at.clock.now += SETTLE_MS;
  expect(await at.step()).toEqual({ state: 'stuck', job: begun.job });
  await at.rows.transact(async (tx) => tx.delete(orphan));
  const again = await at.rotations.rewrap(at.tenant, { by: BY });
  await workJob(at.rotations.jobs, at.tenant, again);
  // Somebody who had read the old key's name commits late.
  await at.rows.transact(async (tx) => tx.put(keyVersionRef(of.patient, 1), row));
  const late = await at.step();
  expect(late.state).toBe('moving');
  expect(await at.stateOf(at.made)).toBe('Enabled');
  await at.turn();
  at.keys.flush(at.tenant);
  expect(await textOf(at, of, 'a')).toBe('one');
});

test('failed at any call of KMS and taken up again it makes one new key and ends one', async () => {
  const at = await openEpochs(createMemoryStore());
  const of = await at.newPatient();
  for (const call of ['EnableKeyRotation', 'UpdateAlias', 'ScheduleKeyDeletion']) {
    await at.kms.faults({ errors: { [call]: 'AccessDeniedException' } });
    expect(await codeOfAsync(at.turn())).toBe('KMS_DENIED');
  }
  await at.kms.faults({});
  await at.turn();
  expect((await at.kms.root.send(new ListKeysCommand({}))).Keys).toHaveLength(3);
  at.keys.flush(at.tenant);
  expect(await textOf(at, of, 'a')).toBe('one');
});

test('the tenant’s own key is never ended: moved back meanwhile the turn is given up, moved on it ends what was left', async () => {
  const at = await openEpochs(createMemoryStore());
  const of = await at.newPatient();
  const rewrap = async (toKey: string): Promise<void> => {
    await workJob(at.rotations.jobs, at.tenant, await at.rotations.rewrap(at.tenant, { by: BY, toKey }));
  };
  const begun = await at.step();
  if (begun.state !== 'moving') throw new Error(begun.state);
  await workJob(at.rotations.jobs, at.tenant, begun.job);
  await rewrap(at.made);
  at.clock.now += SETTLE_MS;
  expect(await at.step()).toEqual({ state: 'abandoned' });
  expect(await at.stateOf(at.made)).toBe('Enabled');
  const again = await at.step();
  if (again.state !== 'moving') throw new Error(again.state);
  await workJob(at.rotations.jobs, at.tenant, again.job);
  const brought = await at.kms.createKey();
  await rewrap(brought);
  await at.turn();
  expect((await findClinic(at.store, at.tenant)).keyId).toBe(brought);
  expect([await at.stateOf(at.made), await at.stateOf(brought)]).toEqual(['PendingDeletion', 'Enabled']);
  at.keys.flush(at.tenant);
  expect(await textOf(at, of, 'a')).toBe('one');
});

test('a key that the tenant brought is not ours to destroy, and local keys have no epoch', async () => {
  const at = await openEpochs(createMemoryStore());
  const brought = await at.kms.createKey();
  const neighbours = await at.admin.wrappingKey('neighbour' as TenantId);
  for (const keyId of [brought, neighbours]) {
    await at.store.tenant(SYSTEM_TENANT).transact(async (tx) => {
      const [clinic] = await tx.get(ref(tenants, at.tenant));
      if (clinic !== null) tx.put(ref(tenants, at.tenant), { ...clinic, keyId });
    });
    expect(await codeOfAsync(at.step())).toBe('KEY_BROUGHT');
    const on = setStrong(at.rotations, at.tenant, { strong: true, days: 7, by: BY });
    expect(await codeOfAsync(on)).toBe('KEY_BROUGHT');
  }
  const local = await openKeyHouse({ store: at.store, keyring: at.keyring, keyId: brought, admin: null });
  expect(await codeOfAsync(stepEpoch(local.rotations, local.tenant, BY))).toBe('KEYS_LOCAL');
  expect(await readEpoch(at.store, at.tenant)).toMatchObject({ strong: false, from: null });
});

test('in strong mode erasures turn the epoch, at most once a week, and nothing else does', async () => {
  const at = await openEpochs(createMemoryStore());
  const [a, b, c] = [await at.newPatient(), await at.newPatient(), await at.newPatient()];
  await at.erase(a);
  at.clock.now += 1;
  expect(await turnIfDue(at.rotations, at.tenant)).toBeNull();
  await setStrong(at.rotations, at.tenant, { strong: true, days: 9, by: BY });
  expect(await turnIfDue(at.rotations, at.tenant)).toMatchObject({ state: 'moving' });
  const { begunAt } = await readEpoch(at.store, at.tenant);
  const deletedAt = await at.turn();
  expect(Math.round((deletedAt - at.clock.now) / DAY)).toBe(9);
  expect(await turnIfDue(at.rotations, at.tenant)).toBeNull();
  await at.erase(b);
  expect(await turnIfDue(at.rotations, at.tenant)).toBeNull();
  at.clock.now = (begunAt ?? 0) + EPOCH_MS;
  expect(await turnIfDue(at.rotations, at.tenant)).toMatchObject({ state: 'moving' });
  await at.turn();
  at.clock.now += EPOCH_MS;
  expect(await turnIfDue(at.rotations, at.tenant)).toBeNull();
  at.keys.flush(at.tenant);
  expect(await textOf(at, c, 'a')).toBe('one');
});
