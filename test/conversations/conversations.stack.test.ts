import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Store } from '../../src/kernel/store.ts';
import { openStore } from '../audit/stores.ts';
import { describeOnBothStores } from '../stack/needs.ts';
import { mountMcp, newClient, oldClient } from './mount.ts';
import { openPeople } from './people.ts';
import { CONVERSATIONS, pinOf, record } from './script.ts';

describeOnBothStores(
  (store) => `the six conversations over HTTP on real ${store}`,
  (kind) => {
    let store: Store;
    beforeAll(async () => {
      store = await openStore(kind);
    });
    afterAll(() => store.close());

    test.each([
      ['@modelcontextprotocol/sdk 1.32', oldClient],
      ['@modelcontextprotocol/client 2.x', newClient],
    ])('%s hears what is pinned, word for word', async (_name, connect) => {
      const people = await openPeople(store);
      const mount = await mountMcp(people);
      try {
        for (const conversation of CONVERSATIONS) {
          const client = await connect(mount, conversation.who);
          const transcript = await record(conversation, client.call);
          await expect(transcript.toString()).toMatchFileSnapshot(pinOf(conversation));
          await client.close();
        }
      } finally {
        await mount.close();
      }
    });
  },
);
