import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type AuditEntry, AuditLog, auditEvents } from '../../src/audit/append.ts';
import { sequenceAll, sequenceBatch } from '../../src/audit/sequencer.ts';
import { startStore } from '../../src/dev/store-choice.ts';
import { ref } from '../../src/kernel/collection.ts';
import { type PatientAlias, randomId, type TenantId } from '../../src/kernel/ids.ts';
import type { Store, Transaction } from '../../src/kernel/store.ts';
import { openFirestoreStore } from '../../src/storage/firestore/open-store.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-store.ts';
import { browserVerification } from './audit-browser.ts';
import type { Bench, BenchOptions, Measured } from './bench.ts';

const PROJECT = 'demo-chartseal';
const ENTRY: AuditEntry = {
  action: 'R',
  operation: 'getPatient',
  outcome: '0',
  actor: { user: 'usr_1', role: 'clinician', client: 'client-1' },
  patient: 'pa_1' as PatientAlias,
  entity: { resource: 'Patient', fields: ['demographics.name'] },
  purposeOfUse: 'TREAT',
  policy: 'care-team',
};

/** On the Firestore emulator where there is one, else on PostgreSQL: what `npm start` would choose. */
async function onStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chartseal-bench-'));
  await chmod(dataDir, 0o755);
  const chosen = await startStore({ dataDir, projectId: PROJECT, kind: undefined });
  const { FIRESTORE_EMULATOR_HOST: emulatorHost, CHARTSEAL_DATABASE_URL: url = '' } = chosen.env;
  const store =
    emulatorHost === undefined
      ? openPostgresStore({ connectionString: url })
      : openFirestoreStore({ projectId: PROJECT, emulatorHost });
  try {
    return await work(store);
  } finally {
    await store.close();
    await chosen.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const median = (times: number[]): number => times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) * 1_000;
}

/** An append against one bare create of a row of the same size; they take turns. */
function appendCost({ quick }: BenchOptions): Promise<Measured> {
  return onStore(async (store) => {
    const tenant = randomId('t') as TenantId;
    const log = new AuditLog({ store, clock: Date.now, journal: () => undefined });
    const leaf = new Uint8Array(470);
    const bare = () => {
      const at = ref(auditEvents, randomId('ev'));
      return store.tenant(tenant).transact(async (tx) => tx.create(at, { leaf }));
    };
    const [appends, creates]: [number[], number[]] = [[], []];
    for (let round = -20; round < (quick ? 80 : 400); round += 1) {
      const append = await timed(() => log.append(tenant, ENTRY));
      const create = await timed(bare);
      if (round < 0) continue;
      appends.push(append);
      creates.push(create);
    }
    return { value: median(appends), floor: median(creates) };
  });
}

/** Batches without the pause between them: what the sequencer could do. */
function sequencing({ quick }: BenchOptions): Promise<Measured> {
  return onStore(async (store) => {
    const tenant = randomId('t') as TenantId;
    const log = new AuditLog({ store, clock: Date.now, journal: () => undefined });
    const count = quick ? 800 : 2_000;
    for (let at = 0; at < count; at += 20)
      await Promise.all(Array.from({ length: 20 }, () => log.append(tenant, ENTRY)));
    const us = await timed(async () => {
      for (;;) if ((await sequenceBatch(store, tenant)).added === 0) return;
    });
    return { value: us / count, floor: null };
  });
}

/** How often a second the hottest row is written again while a backlog is worked off at the sequencer's own pace. */
function hottestRow({ quick }: BenchOptions): Promise<Measured> {
  return onStore(async (store) => {
    const tenant = randomId('t') as TenantId;
    const log = new AuditLog({ store, clock: Date.now, journal: () => undefined });
    const count = quick ? 1_500 : 3_000;
    for (let at = 0; at < count; at += 20)
      await Promise.all(Array.from({ length: 20 }, () => log.append(tenant, ENTRY)));
    const writes = new Map<string, number>();
    const seconds = (await timed(() => sequenceAll(countingPuts(store, writes), tenant))) / 1_000_000;
    return { value: (Math.max(...writes.values()) - 1) / seconds, floor: null };
  });
}

function countingPuts(store: Store, writes: Map<string, number>): Store {
  return {
    ...store,
    tenant: (id) => {
      const rows = store.tenant(id);
      return {
        get: (...refs) => rows.get(...refs),
        list: (of, options) => rows.list(of, options),
        busy: (resources, within) => rows.busy(resources, within),
        transact: (work, options) =>
          rows.transact((tx) => {
            const put: Transaction['put'] = (at, row) => {
              const name = `${at.collection.name}/${at.id}`;
              writes.set(name, (writes.get(name) ?? 0) + 1);
              tx.put(at, row);
            };
            return work({
              get: (...refs) => tx.get(...refs),
              list: (of, listed) => tx.list(of, listed),
              busy: (resources, within) => tx.busy(resources, within),
              create: (at, row) => tx.create(at, row),
              put,
              delete: (at) => tx.delete(at),
              claim: (claim) => tx.claim(claim),
              release: (claim) => tx.release(claim),
            });
          }, options),
      };
    },
  };
}

/** In a heap that could not hold the log: without a bound Node would let garbage lie for as long as it may. */
const HEAP = '--max-old-space-size=128';

async function verification({ quick }: BenchOptions): Promise<{ us: number; mb: number }> {
  const script = join(import.meta.dirname, 'audit-verify.ts');
  const size = quick ? 100_000 : 1_000_000;
  const { stdout } = await promisify(execFile)(process.execPath, [HEAP, script, String(size)], {
    timeout: 300_000,
  });
  return JSON.parse(stdout) as { us: number; mb: number };
}

export const AUDIT_BENCHES: readonly Bench[] = [
  { name: 'audit/append', unit: 'us', target: 1.6, measure: appendCost },
  // 300 events a second.
  { name: 'audit/sequence', unit: 'us', target: 3_333, measure: sequencing },
  // Firestore: about one write a second of one document.
  { name: 'audit/hottest-row', unit: 'count', target: 1, measure: hottestRow },
  // 100,000 leaves a second.
  {
    name: 'audit/verify',
    unit: 'us',
    target: 10,
    measure: async (options) => ({ value: (await verification(options)).us, floor: null }),
  },
  // Needs Chromium. Against Node's own time.
  { name: 'audit/verify-browser', unit: 'us', target: 5, measure: browserVerification },
  {
    name: 'audit/verify-memory',
    unit: 'MB',
    target: 300,
    measure: async (options) => ({ value: (await verification(options)).mb, floor: null }),
  },
];
