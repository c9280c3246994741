import { Outside } from '../../../src/audit/outside.ts';
import type { TenantId } from '../../../src/kernel/ids.ts';
import type { Store } from '../../../src/kernel/store.ts';
import { openCheckpointFolder } from '../../../src/storage/checkpoints/folder.ts';
import { openFirestoreStore } from '../../../src/storage/firestore/open-store.ts';
import { openPostgresStore } from '../../../src/storage/postgres/open-store.ts';
import { watchCommits } from '../house.ts';
import { openRestore } from './house.ts';

/** A restore of its own that goes to its end, or kills itself. */

/** What the test tells it, as JSON in RESTORING. */
export interface RestoringWork {
  readonly tenant: string;
  readonly store: { readonly kind: Store['kind']; readonly address: string };
  readonly outside: string;
  readonly from: string;
  /** SIGKILL right after the transaction of this number; null lets it finish. */
  readonly dieAfter: number | null;
}

const work = JSON.parse(process.env['RESTORING'] ?? '{}') as RestoringWork;
const real =
  work.store.kind === 'postgres'
    ? openPostgresStore({ connectionString: work.store.address })
    : openFirestoreStore({ projectId: 'demo-chartseal', emulatorHost: work.store.address });
const store = watchCommits(real, {
  after: (count) => {
    if (count === work.dieAfter) process.kill(process.pid, 'SIGKILL');
  },
});
const outside = new Outside(openCheckpointFolder(work.outside));
await openRestore(store, { outside }).restore(work.tenant as TenantId, work.from);
await real.close();
