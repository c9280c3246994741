import { expect, test } from 'vitest';
import { type Store, StoreError } from '../../src/kernel/store.ts';
import { openParts } from '../../src/lifecycle/jobs/finish.ts';
import { workJob } from '../../src/lifecycle/jobs/worker.ts';
import { startKms } from '../crypto/kms.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { BY, openKeyHouse } from './key-house.ts';

test('a worker waits when somebody else holds the rows of a phase that is over', async () => {
  const memory = createMemoryStore();
  let isHeld = async (): Promise<boolean> => false;
  const store: Store = {
    ...{ kind: memory.kind, ping: () => memory.ping(), close: () => memory.close() },
    snapshot: (id, work) => memory.snapshot(id, work),
    tenant: (id) => {
      const rows = memory.tenant(id);
      return {
        ...{ get: rows.get.bind(rows), list: rows.list.bind(rows), busy: rows.busy.bind(rows) },
        transact: async (work, options) => {
          if (await isHeld()) throw new StoreError('CONTENTION', 'held', { retryable: true });
          return rows.transact(work, options);
        },
      };
    },
  };
  const kms = await startKms();
  const house = await openKeyHouse({ store, keyring: kms.keyring(), keyId: await kms.createKey() });
  await house.newPatient();
  const id = await house.rotations.reindex(house.tenant, { by: BY });
  let refusals = 0;
  isHeld = async () => {
    const { job, parts } = await openParts(memory.tenant(house.tenant), id);
    return job?.state === 'running' && parts.length === 0 && ++refusals === 1;
  };
  expect(await workJob(house.rotations.jobs, house.tenant, id)).toMatchObject({ state: 'done', left: 0 });
  expect(refusals).toBeGreaterThan(1);
});
