import { afterAll, beforeAll } from 'vitest';
import type { Store } from '../../src/kernel/store.ts';
import { openStore } from '../audit/stores.ts';
import { keyRotationContract } from '../contracts/key-rotation.contract.ts';
import { describeOnBothStores } from '../stack/needs.ts';

describeOnBothStores(
  (store) => `key rotation on real ${store}`,
  (kind) => {
    let store: Store;
    beforeAll(async () => {
      store = await openStore(kind);
    });
    afterAll(() => store.close());
    keyRotationContract(kind, async () => store);
  },
);
