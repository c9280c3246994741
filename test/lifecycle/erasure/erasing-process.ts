import { AuditLog } from '../../../src/audit/append.ts';
import { Outside } from '../../../src/audit/outside.ts';
import type { TenantId } from '../../../src/kernel/ids.ts';
import type { Store } from '../../../src/kernel/store.ts';
import { openCheckpointFolder } from '../../../src/storage/checkpoints/folder.ts';
import { openFirestoreStore } from '../../../src/storage/firestore/open-store.ts';
import { openObjectFolder } from '../../../src/storage/objects/folder.ts';
import { openPostgresStore } from '../../../src/storage/postgres/open-store.ts';
import { openPrivacy, watchCommits } from '../house.ts';

/** A job of its own that works on what is due, until it is done or kills itself. */

/** What the test tells it, as JSON in ERASING. */
export interface ErasingWork {
  readonly tenant: string;
  readonly store: { readonly kind: Store['kind']; readonly address: string };
  /** The folder that stands for storage of another administrator. */
  readonly outside: string;
  /** The folder of the documents' bytes. */
  readonly objects: string;
  readonly now: number;
  /** SIGKILL in, or right after, the transaction of this number; null lets it finish. */
  readonly die: { readonly where: 'inside' | 'after'; readonly at: number } | null;
}

const work = JSON.parse(process.env['ERASING'] ?? '{}') as ErasingWork;
const real =
  work.store.kind === 'postgres'
    ? openPostgresStore({ connectionString: work.store.address })
    : openFirestoreStore({ projectId: 'demo-chartseal', emulatorHost: work.store.address });
const dieAt = (where: 'inside' | 'after') => (count: number) => {
  if (work.die?.where === where && work.die.at === count) process.kill(process.pid, 'SIGKILL');
};
const store = watchCommits(real, { inside: dieAt('inside'), after: dieAt('after') });
const outside = new Outside(openCheckpointFolder(work.outside));
const objects = openObjectFolder(work.objects);
const at = await openPrivacy(real, { tenant: work.tenant as TenantId, outside, objects });
at.clock.now = work.now;
const audit = new AuditLog({
  store,
  clock: Date.now,
  journal: (line) => process.stdout.write(`${JSON.stringify(line)}\n`),
});
await at.round({ store, audit });
await real.close();
for (const fault of at.faults) process.stderr.write(`${String(fault)}\n`);
process.exitCode = at.faults.length;
