import type { AuditDraft } from '../../audit/append.ts';
import { CryptoError } from '../../crypto/errors.ts';
import { isBelow, staleAmong } from '../../crypto/headers.ts';
import {
  ERASING,
  keyVersionRef,
  type PatientKeys,
  type PatientRef,
  patientKeys,
} from '../../crypto/patient-keys.ts';
import { ref } from '../../kernel/collection.ts';
import type { PatientAlias, PatientId } from '../../kernel/ids.ts';
import type { Listed } from '../../kernel/store.ts';
import { withDraft } from '../jobs/drafts.ts';
import { workOn } from '../jobs/items.ts';
import type { JobSpec } from '../jobs/job.ts';
import { type JobKind, NOTHING, type Phase, phase, type StepContext, type StepResult } from '../jobs/kind.ts';
import { ASIDE_KINDS, type AsideKind } from './asides.ts';
import { chartEntry } from './events.ts';
import { BATCH_BYTES, findStale, isClean, type ResealHouse, resealChart } from './reseal-chart.ts';

/** Charts that one worker has under way. */
const AT_ONCE = 8;
/** Charts of one step. Between steps nothing is under way, so that few large ones are faster than many small ones. */
const LIMIT = 200;
/** How long a step remembers the tenant's wrapping key. */
const ASKED_MS = 5_000;
/** Patients whose old keys are destroyed in one transaction. */
const RETIRED = 50;

type Columns = typeof patientKeys.columns;
type Item = Listed<Columns>;

/** What a re-encryption stands on. */
export interface ReencryptHouse extends ResealHouse {
  readonly keys: PatientKeys;
}

/**
 * Moves patients to a new key version, seals their charts anew, proves by the headers themselves that nothing is left
 * under an old one, and then destroys the old wrapped keys. `before` in the spec says whose key is due: those
 * made before it; 0 renews none and only finishes what was begun.
 */
export function reencryptKind(house: ReencryptHouse): JobKind {
  return {
    name: 'reencrypt',
    operation: 'reencryptCharts',
    phases: [
      phase(resealing(house)),
      ...ASIDE_KINDS.map((kind) => phase(resealingAside(house, kind))),
      phase(scanning(house)),
      ...ASIDE_KINDS.map((kind) => phase(scanningAside(kind))),
      phase(retiring(house)),
    ],
  };
}

export const reencryptSpec = (before: number): JobSpec => ({ before });

const many = { of: patientKeys, spread: 'pat_', limit: LIMIT } as const;
const beforeOf = ({ spec }: StepContext): number => Number(spec['before'] ?? 0);

function resealing(house: ReencryptHouse): Phase<Columns> {
  return {
    ...{ ...many, name: 'reseal', proves: false },
    run: async (items, context) => {
      const ages = await agesOf(items, context);
      const before = beforeOf(context);
      const due = items.filter(
        ({ id, row }) => row.state === 'rotating' || (row.state !== ERASING && (ages.get(id) ?? 0) < before),
      );
      const wrappingKey = asked(() => house.keys.wrappingKeyOf(context.tenant));
      const { done, faults } = await workOn(due, {
        ...laneOf(context),
        work: async ({ id, row: { alias, current } }) => {
          const of = refOf(context, id);
          if ((ages.get(id) ?? 0) >= before) return resealChart(house, of, context.job);
          const keyId = await wrappingKey();
          return renewChart(house, of, { job: context.job, alias, current, keyId, before });
        },
      });
      return { ...NOTHING, changed: done.length, faults };
    },
  };
}

const laneOf = ({ pace }: StepContext) => ({ idOf: ({ id }: Item) => id, pace, atOnce: AT_ONCE });
const refOf = ({ tenant }: StepContext, id: string): PatientRef => ({ tenant, patient: id as PatientId });

/** Asks again after some seconds: when the tenant moves to another key, no long step goes on wrapping by the one it left. */
function asked<T>(ask: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly answer: Promise<T> } | null = null;
  return () => {
    const at = performance.now();
    if (last === null || at - last.at > ASKED_MS) last = { at, answer: ask() };
    return last.answer;
  };
}

/** When each patient's current key was made. */
async function agesOf(items: readonly Item[], { store, tenant }: StepContext): Promise<Map<string, number>> {
  const refs = items.map(({ id, row }) => keyVersionRef(id as PatientId, row.current));
  const rows = await store.tenant(tenant).get(...refs);
  return new Map(items.map(({ id }, at) => [id, rows[at]?.createdAt ?? 0]));
}

/**
 * Moves one chart to a key of its own that is new: with as much of it as one transaction holds, which is nearly always
 * the whole chart. What is left of it is sealed anew after that.
 */
async function renewChart(house: ReencryptHouse, of: PatientRef, due: Due): Promise<void> {
  const { job, current, keyId, before } = due;
  const alias = due.alias as PatientAlias;
  const next = await house.keys.makeNext(of, { alias, current }, { keyId, notBefore: before });
  const work = (draft: AuditDraft): Promise<boolean | null> =>
    house.charts.transact(
      of,
      async (chart, tx) => {
        if (chart.version !== next.version) return null;
        const isAll = await chart.readSome(BATCH_BYTES);
        const entry = chartEntry('renewPatientKey', { job, alias, version: next.version });
        draft.write(tx, chart.revision === 0 ? entry : { ...entry, written: await chart.save(tx) });
        return isAll;
      },
      { proof: draft.proof, next },
    );
  const done = withDraft(house.audit, of.tenant, { work, wasWritten: (isAll) => isAll !== null });
  // Who was erased meanwhile has no chart to renew, and none to seal anew.
  const isWhole = await done.catch((error: unknown) => {
    if (error instanceof CryptoError && error.code === 'KEY_MISSING') return null;
    throw error;
  });
  if (isWhole !== true) await resealChart(house, of, job);
}

/** A chart whose key is to be left behind. */
interface Due {
  readonly job: string;
  readonly alias: string;
  readonly current: number;
  /** The tenant's wrapping key. */
  readonly keyId: string;
  readonly before: number;
}

/** Every header of every chart is looked at, whatever the rows about keys say. */
function scanning({ store }: ReencryptHouse): Phase<Columns> {
  return {
    ...{ ...many, name: 'scan', proves: true },
    run: async (items, context): Promise<StepResult> => {
      const standing = items.filter(({ row }) => row.state !== ERASING);
      if (standing.length === 0) return NOTHING;
      const ages = await agesOf(items, context);
      const stale = await staleAmong(store.tenant(context.tenant), standing);
      const left = standing.filter(({ id }) => stale.has(id) || (ages.get(id) ?? 0) < beforeOf(context));
      return { ...NOTHING, left: left.length, oldest: Math.min(...ages.values()) };
    },
  };
}

type AsideColumns = AsideKind['of']['columns'];
type Asides = readonly Listed<AsideColumns>[];

/** What stands beside charts that moved. Most charts have nothing there, so that they are not asked one by one. */
function resealingAside(house: ReencryptHouse, { of, page }: AsideKind): Phase<AsideColumns> {
  return {
    ...{ name: `reseal ${of.name}`, of, spread: null, limit: page, proves: false },
    run: async (items, context) => {
      const { done, faults } = await workOn(await staleOwners(items, context), {
        ...{ pace: context.pace, atOnce: AT_ONCE, idOf: (id) => id },
        work: (id) => resealChart(house, refOf(context, id), context.job),
      });
      return { ...NOTHING, changed: done.length, faults };
    },
  };
}

function scanningAside({ of, page }: AsideKind): Phase<AsideColumns> {
  return {
    ...{ name: `scan ${of.name}`, of, spread: null, limit: page, proves: true },
    run: async (items, context) => ({ ...NOTHING, left: (await staleOwners(items, context)).length }),
  };
}

/** Whose rows are below the barrier of their chart: whose each is says the row, and the barrier that patient's key. */
async function staleOwners(items: Asides, { store, tenant }: StepContext): Promise<string[]> {
  const owners = [...new Set(items.map(({ row }) => row.patient))];
  const keys = await store.tenant(tenant).get(...owners.map((id) => ref(patientKeys, id)));
  return owners.filter((owner, at) => {
    const key = keys[at] ?? null;
    if (key === null || key.state === ERASING) return false;
    return items.some(({ row }) => row.patient === owner && isBelow(row.sealed, key.minSeal));
  });
}

/**
 * What was drained is retired at once, in the step's own transaction. In a job that ends incomplete a chart that was set
 * aside keeps its old keys: only where every header is clean are they destroyed.
 */
function retiring({ store, keys }: ReencryptHouse): Phase<Columns> {
  return {
    ...{ ...many, limit: RETIRED, name: 'retire', proves: false },
    run: async (items, context) => {
      const rotating = items.filter(({ row }) => row.state === 'rotating');
      const { done, faults } = await workOn(rotating, {
        ...laneOf(context),
        work: async ({ id, row: { minSeal } }) => {
          const at = { patient: id as PatientId, minSeal };
          if (context.isDrained) return [at];
          const stale = await findStale(store.tenant(context.tenant), refOf(context, id));
          return stale !== null && isClean(stale) ? [at] : [];
        },
      });
      const stage: StepResult['stage'] = async (tx) => {
        const { retired: _retired, write } = await keys.stageRetirement(tx, done.flat());
        return { changed: 0, write };
      };
      return { ...NOTHING, faults, stage };
    },
  };
}
