import type { AuditLog } from '../../audit/append.ts';
import { INDEX_STATE, type IndexKeys, indexKeys } from '../../crypto/index-keys.ts';
import { indexRecords, type PatientIndex } from '../../crypto/patient-index.ts';
import { isIndexVersionEmpty, relist } from '../../crypto/reindex.ts';
import { parsePatientId } from '../../kernel/ids.ts';
import { withDraft } from '../jobs/drafts.ts';
import { WORKER } from '../jobs/events.ts';
import { workOn } from '../jobs/items.ts';
import type { JobSpec } from '../jobs/job.ts';
import { type JobKind, NOTHING, type Phase, phase, type StepContext } from '../jobs/kind.ts';
import { tenantEntry } from './events.ts';

const AT_ONCE = 6;
const LIMIT = 100;

/** What a reindex stands on. */
export interface ReindexHouse {
  readonly audit: AuditLog;
  readonly indexKeys: IndexKeys;
  readonly index: PatientIndex;
}

/** Lists every patient under the index key of the version that the spec names; both are read until the old is empty. */
export function reindexKind(house: ReindexHouse): JobKind {
  return {
    name: 'reindex',
    operation: 'reindexPatients',
    phases: [phase(relisting(house)), phase(scanning), phase(retiring(house))],
  };
}

export const reindexSpec = (version: number): JobSpec => ({ version });
const versionOf = ({ spec }: StepContext): number => Number(spec['version']);
const many = { of: indexRecords, spread: 'pat_' } as const;

function relisting({ index }: ReindexHouse): Phase<typeof indexRecords.columns> {
  return {
    ...{ ...many, name: 'relist', limit: LIMIT, proves: false },
    run: async (items, context) => {
      const { store, tenant, pace } = context;
      const due = items.filter(({ row }) => row.version < versionOf(context));
      if (due.length === 0) return NOTHING;
      const open = await index.open(tenant);
      const { done, faults } = await workOn(due, {
        ...{ pace, atOnce: AT_ONCE, idOf: ({ id }) => id },
        work: ({ id }) => relist(store.tenant(tenant), open, parsePatientId(id)),
      });
      return { ...NOTHING, changed: done.length, faults };
    },
  };
}

const scanning: Phase<typeof indexRecords.columns> = {
  ...{ ...many, name: 'scan', limit: 500, proves: true },
  run: async (items, context) => ({
    ...NOTHING,
    left: items.filter(({ row }) => row.version < versionOf(context)).length,
  }),
};

/** Destroys the old key in the transaction that sees that nothing is listed under it. */
function retiring({ audit, indexKeys: keys }: ReindexHouse): Phase<typeof indexKeys.columns> {
  return {
    ...{ name: 'retire', of: indexKeys, spread: null, limit: 100, proves: false },
    run: async (_, { store, tenant }) => {
      const [state] = await store.tenant(tenant).get(INDEX_STATE);
      if (state === null || state.write === state.oldest) return NOTHING;
      await withDraft(audit, tenant, {
        work: (draft) =>
          keys.finish(tenant, isIndexVersionEmpty, (tx) =>
            draft.write(tx, tenantEntry('retireIndexKey', WORKER)),
          ),
        wasWritten: async (_gone, { proof }) => (await store.tenant(tenant).get(proof))[0] !== null,
      });
      // With somebody set aside the old key stays, and the job ends incomplete.
      return NOTHING;
    },
  };
}
