import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../src/kernel/store.ts';
import { describeClaims } from './store/claims.ts';
import { describeFaults } from './store/faults.ts';
import { describeRows } from './store/rows.ts';
import type { StoreSubject } from './store/subject.ts';
import { describeTransactions } from './store/transactions.ts';

/**
 * What every store must do. `name` says which real database it runs on, so that a report shows what was proven
 * where. Each test uses a tenant of its own.
 */
export function describeStore(
  name: string,
  open: () => Promise<StoreSubject> | StoreSubject,
  contenders: number,
): void {
  describe(`the store contract on ${name}`, () => {
    let subject: StoreSubject;
    let store: Store;
    beforeAll(async () => {
      subject = await open();
      store = subject.open();
    });
    afterAll(async () => await store?.close());

    test('answers a ping', async () => await expect(store.ping()).resolves.toBeUndefined());
    describeRows(() => store);
    describeTransactions(() => store, contenders);
    describeClaims(() => store);
    describeFaults(
      () => store,
      () => subject,
    );
  });
}
