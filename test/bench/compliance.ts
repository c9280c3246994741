import { COLLECTIONS } from '../../src/collections.ts';
import { scanRows } from '../../src/compliance/scan/rows.ts';
import { chartValues } from '../../src/crypto/chart-values.ts';
import { localKeyId } from '../../src/crypto/local-keyring.ts';
import { patientKeys } from '../../src/crypto/patient-keys.ts';
import type { Collection, Columns, Ref, Row } from '../../src/kernel/collection.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import type { ListOptions, Store } from '../../src/kernel/store.ts';
import type { Bench, BenchOptions, Measured } from './bench.ts';

/** What the report's pass over the rows costs. */
export const COMPLIANCE_BENCHES: readonly Bench[] = [
  { name: 'compliance-scan-row', unit: 'us', target: 60, measure: (options) => scanned(options, 'time') },
  {
    name: 'compliance-scan-memory',
    unit: 'MB',
    target: 1.5,
    measure: (options) => scanned(options, 'memory'),
  },
];

const VALUES = 3;
const TENANT = 'riverside' as TenantId;

/** A hundred thousand charts of three values against a tenth of them: memory must not grow with the rows. */
async function scanned({ quick }: BenchOptions, what: 'time' | 'memory'): Promise<Measured> {
  const charts = quick ? 10_000 : 100_000;
  const few = await scan(charts / 10);
  const many = await scan(charts);
  if (many.told < 2) throw new Error('No progress was told.');
  return what === 'time' ? { value: many.usARow, floor: null } : { value: many.peakMb, floor: few.peakMb };
}

async function scan(charts: number): Promise<{ usARow: number; peakMb: number; told: number }> {
  const heap = () => process.memoryUsage().heapUsed / 1_048_576;
  let [peakMb, told] = [0, 0];
  const start = performance.now();
  const { seen } = await scanRows({
    ...{ store: endlessStore(charts), tenant: TENANT, collections: COLLECTIONS, keyId: localKeyId(1) },
    now: 0,
    onProgress: () => {
      told += 1;
      peakMb = Math.max(peakMb, heap());
    },
  });
  return { usARow: ((performance.now() - start) * 1_000) / seen, peakMb, told };
}

/** A store that makes its rows as they are asked for, so that only what the scan keeps is in memory. */
function endlessStore(charts: number): Store {
  const sealed = Buffer.alloc(600, 0xee);
  sealed.writeUInt32BE(0xc5010000, 0);
  sealed.writeUInt32BE(1, 4);
  const value = (at: number): Row<typeof chartValues.columns> => ({
    ...{
      patient: `pat_${Math.floor(at / VALUES)}`,
      collection: 'charts',
      document: 'd',
      compartment: 'contact',
    },
    ...{ schema: 1, revision: 1, sealed },
  });
  const key = { alias: 'pa_1', current: 1, minSeal: 1, state: 'active', head: null };
  const list = async (of: Collection<Columns>, { limit, after }: ListOptions<Columns>) => {
    if (of.name !== chartValues.name) return [];
    const from = after === undefined ? 0 : Number(after) + 1;
    const count = Math.max(0, Math.min(limit ?? 0, charts * VALUES - from));
    return Array.from({ length: count }, (_, at) => ({ id: String(from + at), row: value(from + at) }));
  };
  const get = async (...refs: Ref[]) =>
    refs.map(({ collection }) => (collection.name === patientKeys.name ? key : null));
  return {
    kind: 'firestore',
    tenant: (tenant: TenantId) => (tenant === TENANT ? { list, get } : { list: async () => [], get }),
  } as never;
}
