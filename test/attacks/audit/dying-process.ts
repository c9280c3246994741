import { createPrivateKey, sign } from 'node:crypto';
import { Checkpoints } from '../../../src/audit/checkpoints.ts';
import { Outside } from '../../../src/audit/outside.ts';
import { sequenceBatch } from '../../../src/audit/sequencer.ts';
import type { TenantId } from '../../../src/kernel/ids.ts';
import type { Store } from '../../../src/kernel/store.ts';
import { openCheckpointFolder } from '../../../src/storage/checkpoints/folder.ts';
import { openFirestoreStore } from '../../../src/storage/firestore/open-store.ts';
import { openPostgresStore } from '../../../src/storage/postgres/open-store.ts';

/** A process of its own that is killed at one point: after the head is committed, or after a note is signed. */

/** What the test tells it, as JSON in DYING. */
export interface Dying {
  readonly at: 'before-commit' | 'after-commit' | 'after-signing';
  readonly tenant: string;
  readonly store: { readonly kind: 'firestore' | 'postgres'; readonly address: string };
  readonly folder: string;
  readonly privateKey: string;
  readonly project: string;
}

const dying = JSON.parse(process.env['DYING'] ?? '{}') as Dying;
const tenant = dying.tenant as TenantId;
const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  // A signal to oneself is delivered at once; should it not be, nothing may follow.
  for (;;);
};

const { kind, address } = dying.store;
const store: Store =
  kind === 'postgres'
    ? openPostgresStore({ connectionString: address })
    : openFirestoreStore({ projectId: dying.project, emulatorHost: address });

if (dying.at === 'after-signing') {
  const signer = {
    sign: async (_keyId: string, message: Uint8Array) => {
      sign(null, message, createPrivateKey(dying.privateKey));
      return die();
    },
  };
  const outside = new Outside(openCheckpointFolder(dying.folder));
  await new Checkpoints({ store, outside, signer, clock: Date.now, project: dying.project }).publish(tenant);
} else {
  const mortal: Store = {
    ...store,
    tenant: (id) => {
      const rows = store.tenant(id);
      return {
        get: (...refs) => rows.get(...refs),
        list: (of, options) => rows.list(of, options),
        busy: (resources, within) => rows.busy(resources, within),
        transact: async (work, options) => {
          const result = await rows.transact(async (tx) => {
            const done = await work(tx);
            return dying.at === 'before-commit' ? die() : done;
          }, options);
          die();
          return result;
        },
      };
    },
  };
  await sequenceBatch(mortal, tenant);
}
