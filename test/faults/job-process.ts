import { KmsKeyring } from '../../src/crypto/kms-keyring.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { workJob } from '../../src/lifecycle/jobs/worker.ts';
import { openFirestoreStore } from '../../src/storage/firestore/open-store.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-store.ts';
import { openKeyHouse } from '../lifecycle/key-house.ts';

/** A worker of its own that works jobs until they have ended or it is killed. */

/** What the test tells it, as JSON in JOBS. */
export interface JobWork {
  readonly tenant: string;
  readonly store: { readonly kind: Store['kind']; readonly address: string };
  readonly kms: string;
  readonly ids: readonly string[];
}

const { tenant, store: at, kms, ids } = JSON.parse(process.env['JOBS'] ?? '{}') as JobWork;
const store =
  at.kind === 'postgres'
    ? openPostgresStore({ connectionString: at.address })
    : openFirestoreStore({ projectId: 'demo-chartseal', emulatorHost: at.address });
const keyring = new KmsKeyring({
  kind: 'emulator',
  client: {
    endpoint: kms,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIATESTROOT', secretAccessKey: 'x' },
  },
});
const house = await openKeyHouse({ store, keyring, keyId: '', tenant: tenant as TenantId });
const onStep = (): void => void process.stdout.write('step\n');
const ends = await Promise.all(
  ids.map((id) => workJob(house.rotations.jobs, house.tenant, id, { onStep, parallel: 2 })),
);
process.stdout.write(`${ends.map(({ state }) => state).join(' ')}\n`);
await store.close();
