import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../src/dev/backends/free-port.ts';
import { randomId } from '../../../src/kernel/ids.ts';
import { type Store, StoreError, type TenantStore } from '../../../src/kernel/store.ts';
import {
  aClaim,
  aCounter,
  aThing,
  codeOf,
  counted,
  counter,
  create,
  freshTenantId,
  type StoreSubject,
  span,
  thing,
  things,
} from './subject.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** Faults: a clear, retryable error in time, and no half of anything. */
export function describeFaults(store: () => Store, subject: () => StoreSubject): void {
  describe('a database that is down', () => {
    let down: Store;
    beforeAll(async () => {
      down = subject().open({ host: '127.0.0.1', port: await freePort() });
    });
    afterAll(async () => await down.close());

    const calls: [string, number, (tenant: TenantStore) => Promise<unknown>][] = [
      ['ping', 2_500, () => down.ping()],
      ['get', 11_000, (tenant) => tenant.get(counter('one'))],
      ['list', 11_000, (tenant) => tenant.list(things, { limit: 1 })],
      ['busy', 11_000, (tenant) => tenant.busy(['dr_1'], span(0, 1))],
      [
        'a transaction that reads',
        31_000,
        (tenant) => tenant.transact(async (tx) => await tx.get(counter('one'))),
      ],
      ['a transaction that only writes', 31_000, (tenant) => create(tenant, 'one', 1)],
    ];
    test.concurrent.each(calls)('%s says STORE_UNAVAILABLE, retryable, in time', async (_, limit, call) => {
      const start = performance.now();
      const error = await call(down.tenant(freshTenantId())).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StoreError);
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
      expect(performance.now() - start).toBeLessThan(limit);
    });
  });

  describe('a network that swallows everything', () => {
    let proxy: TcpProxy;
    let mute: Store;
    beforeAll(async () => {
      proxy = await startTcpProxy(subject().address);
      proxy.blackHole();
      mute = subject().open(proxy);
    });
    afterAll(async () => {
      await proxy.close();
      await mute.close();
    });

    test.concurrent('ping gives up after 2 s', async () => {
      const start = performance.now();
      expect(await codeOf(mute.ping())).toBe('STORE_UNAVAILABLE');
      expect(performance.now() - start).toBeLessThan(3_000);
    });

    test.concurrent('a read gives up after 10 s', async () => {
      const start = performance.now();
      expect(await codeOf(mute.tenant(freshTenantId()).get(counter('one')))).toBe('STORE_UNAVAILABLE');
      expect(performance.now() - start).toBeLessThan(11_500);
    });
  });

  describe('a connection that breaks at the commit', () => {
    let proxy: TcpProxy;
    let far: Store;
    beforeAll(async () => {
      proxy = await startTcpProxy(subject().address);
      far = subject().open(proxy);
    });
    afterAll(async () => {
      await far.close();
      await proxy.close();
    });

    /** Adds one to `hot` and creates the row `proof`; `fault` breaks the connection before the commit. */
    const addOne = async (id: string, fault: () => void, withProof: boolean) => {
      const tenantId = freshTenantId();
      const near = store().tenant(tenantId);
      await create(near, 'hot', 1);
      const proof = counter(id);
      let runs = 0;
      const work = far.tenant(tenantId).transact(
        async (tx) => {
          runs += 1;
          const [hot] = await tx.get(counter('hot'));
          tx.put(counter('hot'), aCounter((hot?.value ?? 0) + 1));
          tx.create(proof, aCounter(1));
          tx.claim(aClaim('bk', 0, 6));
          if (runs === 1) fault();
          return `answer ${runs}`;
        },
        withProof ? { proof } : {},
      );
      const answer = await work.catch((error: StoreError) => error.code);
      const [hot, proven] = [await counted(near, counter('hot')), await counted(near, proof)];
      return { answer, runs, hot, proven };
    };

    test('a lost reply with a proof is found to have taken place', { timeout: 40_000 }, async () => {
      const outcome = await addOne(randomId('p'), proxy.loseReplies, true);
      expect(outcome).toEqual({ answer: 'answer 1', runs: 1, hot: 2, proven: 1 });
    });

    test('a lost reply without a proof is an error, and work does not run twice', {
      timeout: 40_000,
    }, async () => {
      const outcome = await addOne(randomId('p'), proxy.loseReplies, false);
      expect(outcome).toEqual({ answer: 'STORE_UNAVAILABLE', runs: 1, hot: 2, proven: 1 });
    });

    test('a lost request with a proof is an error, and nothing is written', { timeout: 40_000 }, async () => {
      const outcome = await addOne(randomId('p'), proxy.loseRequests, true);
      expect(outcome).toEqual({ answer: 'STORE_UNAVAILABLE', runs: 1, hot: 1, proven: null });
    });

    test('the store serves again afterwards', { timeout: 40_000 }, async () => {
      await create(far.tenant(freshTenantId()), 'one', 1);
    });
  });

  describe('errors', () => {
    const CANARY = 'canary 555-12-3456';
    const fresh = (): TenantStore => store().tenant(freshTenantId());
    const provoked: [string, (tenant: TenantStore) => Promise<unknown>][] = [
      ['a row of a wrong shape', (tenant) => put(tenant, { ...aThing, count: CANARY, name: CANARY })],
      ['text that may not be stored', (tenant) => put(tenant, { ...aThing, name: `${CANARY}\0` })],
      ['a column that is not declared', (tenant) => put(tenant, { ...aThing, [CANARY]: CANARY })],
      ['an id that is taken', (tenant) => createTwice(tenant)],
      ['an id of a wrong form', (tenant) => tenant.get(thing(CANARY))],
      [
        'a filter of a wrong type',
        (tenant) => tenant.list(things, { limit: 1, equals: { count: CANARY as never } }),
      ],
      [
        'a booking of a wrong form',
        (tenant) => tenant.transact(async (tx) => tx.claim(aClaim(CANARY, 0, 1))),
      ],
    ];
    const put = async (tenant: TenantStore, row: object): Promise<void> =>
      await tenant.transact(async (tx) => tx.put(thing('one'), row as typeof aThing));
    const createTwice = async (tenant: TenantStore): Promise<void> => {
      const row = { ...aThing, name: CANARY, config: { a: CANARY }, sealed: Buffer.from(CANARY) };
      for (const _ of [1, 2]) await tenant.transact(async (tx) => tx.create(thing('one'), row));
    };

    test.each(provoked)('%s: the error carries no value', async (_, call) => {
      const error = await call(fresh()).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StoreError);
      const shown = inspect(error, { depth: 9, showHidden: true, getters: true });
      expect(shown).not.toContain('canary');
      expect(shown).not.toContain('555-12');
      expect((error as StoreError).cause).toBeUndefined();
    });
  });
}
