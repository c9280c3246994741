import { Documents } from '../../../src/clinic/documents/documents.ts';
import { SealedCharts } from '../../../src/crypto/sealed-charts.ts';
import type { PatientId, TenantId } from '../../../src/kernel/ids.ts';
import type { Store } from '../../../src/kernel/store.ts';
import { openFirestoreStore } from '../../../src/storage/firestore/open-store.ts';
import { openObjectFolder } from '../../../src/storage/objects/folder.ts';
import { openPostgresStore } from '../../../src/storage/postgres/open-store.ts';
import { ENTRY, openPrivacy, watchCommits } from '../../lifecycle/house.ts';

/** A server of its own that takes a file in, until it is done or kills itself. */

/** What the test tells it, as JSON in UPLOADING. */
export interface Uploading {
  readonly tenant: string;
  readonly patient: string;
  readonly store: { readonly kind: Store['kind']; readonly address: string };
  readonly objects: string;
  /** SIGKILL while the file arrives, inside the transaction of the commit, or right after it; null lets it finish. */
  readonly die: 'arriving' | 'inside' | 'after' | null;
}

const work = JSON.parse(process.env['UPLOADING'] ?? '{}') as Uploading;
const real =
  work.store.kind === 'postgres'
    ? openPostgresStore({ connectionString: work.store.address })
    : openFirestoreStore({ projectId: 'demo-chartseal', emulatorHost: work.store.address });
const die = (): void => void process.kill(process.pid, 'SIGKILL');
/** The first finds the key missing, the second begins, the third commits. */
const at =
  (where: Uploading['die']) =>
  (count: number): void => {
    if (work.die === where && count === 3) die();
  };
const store = watchCommits(real, { inside: at('inside'), after: at('after') });
const tenant = work.tenant as TenantId;
const house = await openPrivacy(real, { tenant, objects: openObjectFolder(work.objects) });
const charts = new SealedCharts({ store, keys: house.keys });
const documents = new Documents({ ...house.parts, store, charts });
async function* bytes(): AsyncGenerator<Uint8Array> {
  for (let piece = 0; piece < 12; piece += 1) {
    yield Buffer.alloc(100_000, 'planted-zanzibarine ');
    if (work.die === 'arriving' && piece === 10) die();
  }
}
const of = { tenant, patient: work.patient as PatientId };
await documents.add(
  of,
  { title: 'planted-title', kind: 'letter', addedBy: 'patient', bytes: bytes() },
  () => ({
    ...ENTRY,
    action: 'C',
  }),
);
await real.close();
