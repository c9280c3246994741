import { keyVersionRef, type PatientKeys, type PatientRef, patientKeys } from '../../crypto/patient-keys.ts';
import type { PatientId } from '../../kernel/ids.ts';
import type { Listed } from '../../kernel/store.ts';
import { withDraft } from '../jobs/drafts.ts';
import { workOn } from '../jobs/items.ts';
import type { JobSpec } from '../jobs/job.ts';
import { type JobKind, NOTHING, type Phase, phase, type StepContext, type StepResult } from '../jobs/kind.ts';
import { chartEntry } from './events.ts';
import { findStale, isClean, type ResealHouse, resealChart } from './reseal-chart.ts';

/** Charts that one worker has under way. */
const AT_ONCE = 8;
const LIMIT = 50;

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
    phases: [phase(resealing(house)), phase(scanning(house)), phase(retiring(house))],
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
      const due = items.filter(({ id, row }) => row.state === 'rotating' || (ages.get(id) ?? 0) < before);
      const { done, faults } = await workOn(due, {
        ...laneOf(context),
        work: async ({ id }) => {
          const of = refOf(context, id);
          if (before > 0) await renew(house, of, { before, job: context.job });
          return resealChart(house, of, context.job);
        },
      });
      return { ...NOTHING, changed: done.length, faults };
    },
  };
}

const laneOf = ({ pace }: StepContext) => ({ idOf: ({ id }: Item) => id, pace, atOnce: AT_ONCE });
const refOf = ({ tenant }: StepContext, id: string): PatientRef => ({ tenant, patient: id as PatientId });

/** When each patient's current key was made. */
async function agesOf(items: readonly Item[], { store, tenant }: StepContext): Promise<Map<string, number>> {
  const refs = items.map(({ id, row }) => keyVersionRef(id as PatientId, row.current));
  const rows = await store.tenant(tenant).get(...refs);
  return new Map(items.map(({ id }, at) => [id, rows[at]?.createdAt ?? 0]));
}

function renew(
  { keys, audit }: ReencryptHouse,
  of: PatientRef,
  { before, job }: { before: number; job: string },
): Promise<number | null> {
  return withDraft(audit, of.tenant, {
    work: (draft) =>
      keys.renew(of, {
        before,
        proof: draft.proof,
        settle: (tx, what) => draft.write(tx, chartEntry('renewPatientKey', { job, ...what })),
      }),
    wasWritten: (version) => version !== null,
  });
}

/** Every header of every chart is looked at, whatever the rows about keys say. */
function scanning({ store }: ReencryptHouse): Phase<Columns> {
  return {
    ...{ ...many, name: 'scan', proves: true },
    run: async (items, context): Promise<StepResult> => {
      const ages = await agesOf(items, context);
      const { done, faults } = await workOn(items, {
        ...laneOf(context),
        work: async ({ id }) => {
          const stale = await findStale(store.tenant(context.tenant), refOf(context, id));
          const isDue = (ages.get(id) ?? 0) < beforeOf(context);
          return stale !== null && (isDue || !isClean(stale));
        },
      });
      const oldest = ages.size === 0 ? null : Math.min(...ages.values());
      return { ...NOTHING, left: done.filter(Boolean).length, faults, oldest };
    },
  };
}

/**
 * What was drained is retired at once, in the step's own transaction. In a job that ends incomplete a chart that was set
 * aside keeps its old keys: only where every header is clean are they destroyed.
 */
function retiring({ store, keys }: ReencryptHouse): Phase<Columns> {
  return {
    ...{ ...many, name: 'retire', proves: false },
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
