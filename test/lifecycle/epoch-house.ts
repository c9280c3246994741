import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import { expect } from 'vitest';
import { KmsTenantKeys } from '../../src/crypto/kms-tenant-keys.ts';
import type { PatientRef } from '../../src/crypto/patient-keys.ts';
import { randomId, type TenantId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { purgeRows } from '../../src/lifecycle/erasure/purge.ts';
import { erasureRef } from '../../src/lifecycle/erasure/receipt.ts';
import { workJob } from '../../src/lifecycle/jobs/worker.ts';
import { stepEpoch } from '../../src/lifecycle/rotation/turn-epoch.ts';
import { codeOfAsync } from '../crypto/code-of.ts';
import { startKms } from '../crypto/kms.ts';
import { backUp, openRestore } from './backup/house.ts';
import { BY, DAY, openKeyHouse, textOf } from './key-house.ts';

/** A tenant whose key Chartseal made, on a KMS whose time the test turns. */
export async function openEpochs(store: Store) {
  const clock = { now: Date.now() };
  const kms = await startKms({ clock: () => clock.now });
  const admin = new KmsTenantKeys({
    endpoint: kms.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIATESTROOT', secretAccessKey: 'x' },
  });
  const first = await openKeyHouse({
    ...{ store, keyring: kms.keyring(), keyId: await kms.createKey(), admin, clock: () => clock.now },
  });
  const { tenant, rotations } = first;
  // The house brings a key; this tenant has one that was made for it.
  const made = await admin.wrappingKey(tenant);
  await workJob(rotations.jobs, tenant, await rotations.rewrap(tenant, { by: BY, toKey: made }));
  clock.now += DAY;
  const step = () => stepEpoch(rotations, tenant, BY);
  /** A whole turn; answers when the old key is destroyed. */
  const turn = async (): Promise<number> => {
    for (let steps = 0; steps < 10; steps += 1) {
      const did = await step();
      if (did.state === 'ended') return did.deletedAt;
      if (did.state === 'moving') await workJob(rotations.jobs, tenant, did.job);
      if (did.state === 'waiting') clock.now = did.until;
    }
    throw new Error('The turn does not end.');
  };
  /** What an erasure comes to: nothing of the patient, and a receipt that counts on the age of backups. */
  const erase = async ({ patient }: PatientRef): Promise<string> => {
    const request = randomId('req');
    await purgeRows({ store: first.rows, patient, keep: request, removeMember: async () => undefined });
    const at = clock.now;
    await first.rows.transact(async (tx) =>
      tx.create(erasureRef(request), {
        ...{ alias: 'pa_gone', startedAt: at, outside: false, logicalAt: at, purgedAt: at },
        finalAt: at + 35 * DAY,
      }),
    );
    return request;
  };
  const stateOf = async (KeyId: string) =>
    (await kms.root.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState;
  return { ...first, clock, kms, store, admin, made, step, turn, erase, stateOf };
}

/** Erases somebody in one store, ends the key of then, and opens what a backup from before brings back in others. */
export async function drillStrongErasure(
  store: Store,
  empty: (tenant: TenantId) => Promise<Store>,
): Promise<void> {
  const at = await openEpochs(store);
  const [gone, stays] = [await at.newPatient(), await at.newPatient()];
  const old = await backUp(at.store, at.tenant);
  const request = await at.erase(gone);
  at.clock.now += 1;
  const deletedAt = await at.turn();
  const [receipt] = await at.rows.get(erasureRef(request));
  expect(receipt?.finalAt).toBe(deletedAt);
  const hastened = (await at.events()).filter(({ operation }) => operation === 'hastenErasure');
  expect(hastened).toMatchObject([
    {
      patient: 'pa_gone',
      entity: { fields: [`finalAt.${new Date(deletedAt).toISOString()}`, expect.anything()] },
    },
  ]);
  const today = await backUp(at.store, at.tenant);
  const restored = async (keys?: string) => {
    const there = openRestore(await empty(at.tenant), { keyring: at.kms.keyring() });
    await there.restore(at.tenant, old.to, keys === undefined ? {} : { keys });
    return there;
  };
  const withOld = await restored();
  for (const of of [gone, stays]) expect(await codeOfAsync(withOld.charts.read(of, []))).toBe('KEY_DISABLED');
  at.clock.now = deletedAt + 1;
  for (const of of [gone, stays]) expect(await codeOfAsync(withOld.charts.read(of, []))).toBe('KEY_MISSING');
  const withNew = await restored(`${today.to}/keys`);
  expect(await textOf(withNew, stays, 'a')).toBe('one');
  expect(await withNew.charts.read(gone, [])).toBeNull();
}
