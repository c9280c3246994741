import { INDEX_STATE, indexKeys } from '../../crypto/index-keys.ts';
import type { WrappingKeyFacts } from '../../crypto/kms-tenant-keys.ts';
import { keyVersionRef, patientKeys } from '../../crypto/patient-keys.ts';
import { rootKeyOf } from '../../crypto/wrapped-kinds.ts';
import { type Columns, ref } from '../../kernel/collection.ts';
import { ChartsealError } from '../../kernel/errors.ts';
import type { PatientId, TenantId } from '../../kernel/ids.ts';
import type { Listed, Store } from '../../kernel/store.ts';
import type { JobSpec } from '../jobs/job.ts';
import type { JobView } from '../jobs/jobs.ts';
import type { JobKind, Phase } from '../jobs/kind.ts';
import { dueOf } from './due.ts';
import type { KeyRotations } from './rotations.ts';

/** What a job would find to do, counted by its own proofs. Writes nothing. */
export interface Survey {
  readonly seen: number;
  readonly left: number;
  readonly faults: readonly { readonly item: string; readonly code: string }[];
}

/** Runs only the proofs of a kind of job, over everything, without a job. `onPage` hears how many were seen. */
export async function survey(
  store: Store,
  tenant: TenantId,
  asked: { kind: JobKind; spec: JobSpec; onPage?: (seen: number) => void },
): Promise<Survey> {
  const total = { seen: 0, left: 0, faults: [] as { item: string; code: string }[] };
  for (const phase of asked.kind.phases.filter(({ proves }) => proves))
    for await (const page of pagesOf(store, tenant, phase)) {
      const context = {
        store,
        tenant,
        job: '',
        spec: asked.spec,
        workers: 1,
        isDrained: false,
        pace: async () => {},
      };
      const { left, faults } = await phase.run(page, context);
      total.seen += page.length;
      total.left += left;
      total.faults.push(...faults);
      asked.onPage?.(total.seen);
    }
  return total;
}

async function* pagesOf<C extends Columns>(
  store: Store,
  tenant: TenantId,
  { of, limit }: Pick<Phase<C>, 'of' | 'limit'>,
): AsyncGenerator<Listed<C>[]> {
  for (let after: string | undefined; ; ) {
    const page = await store.tenant(tenant).list(of, { limit, ...(after !== undefined && { after }) });
    if (page.length > 0) yield page;
    after = page.at(-1)?.id;
    if (page.length < limit) return;
  }
}

/** The state of a tenant's keys at all three levels. No key material, no PHI, no patient's id. */
export interface KeyStatus {
  readonly tenant: TenantId;
  readonly at: number;
  readonly wrappingKey: {
    readonly keyId: string;
    /** Null for local keys, and where this role may not see it; then `problem` says why. */
    readonly facts: WrappingKeyFacts | null;
    /** The code with which the key refuses to work now; null when it works. */
    readonly problem: string | null;
    /** Whether the tenant's root is wrapped by the generation in use. */
    readonly isCurrent: boolean | null;
  };
  readonly patients: {
    readonly seen: number;
    /** True when more patients are there than were looked at. */
    readonly isPartial: boolean;
    /** Patients by the version of their current key. */
    readonly versions: Readonly<Record<string, number>>;
    /** Patients whose older keys are not retired yet. */
    readonly rotating: number;
    readonly oldest: number | null;
    readonly newest: number | null;
    readonly dueAt: number | null;
  };
  readonly index: {
    readonly version: number;
    /** Two versions are read while a reindex is under way. */
    readonly isRotating: boolean;
    readonly createdAt: number | null;
    readonly dueAt: number | null;
  } | null;
  readonly jobs: readonly JobView[];
}

const PAGE = 400;

/** Looks at up to `most` patients' keys. Opens nothing; one KMS call tries the wrapping key. */
export async function keyStatus(
  rotations: KeyRotations,
  tenant: TenantId,
  { most = Number.POSITIVE_INFINITY, onPage }: { most?: number; onPage?: (seen: number) => void } = {},
): Promise<KeyStatus> {
  const { store, clock } = rotations.options;
  const [wrappingKey, patients, index, jobs, due] = await Promise.all([
    wrappingKeyOf(rotations, tenant),
    patientsOf(store, tenant, { most, onPage }),
    indexOf(store, tenant),
    rotations.jobs.list(tenant),
    dueOf(rotations, tenant),
  ]);
  return {
    ...{ tenant, at: clock(), wrappingKey, jobs },
    patients: { ...patients, dueAt: due.patients },
    index: index === null ? null : { ...index, dueAt: due.index },
  };
}

async function wrappingKeyOf(rotations: KeyRotations, tenant: TenantId): Promise<KeyStatus['wrappingKey']> {
  const { admin, store, keyring, tenantKeyId } = rotations.options;
  const keyId = await tenantKeyId(tenant);
  const facts = admin === null ? null : await admin.describe(keyId).catch(() => null);
  const root = await rootKeyOf(store.tenant(tenant), tenant);
  const problem = root === null ? null : await problemOf(keyring.unwrap(root.wrapped, root.context));
  const material = facts?.material ?? (await generationOf(rotations, tenant));
  const isCurrent =
    root === null || material === undefined
      ? null
      : root.wrapped.keyId === keyId && (material === null || root.wrapped.material === material);
  return { keyId, facts, problem, isCurrent };
}

/** The code with which a use of the key was refused; null when it was not. */
async function problemOf(use: Promise<unknown>): Promise<string | null> {
  try {
    await use;
    return null;
  } catch (error) {
    if (error instanceof ChartsealError) return error.code;
    throw error;
  }
}

/** Undefined where this role may not find out: it need not be allowed to re-encrypt. */
const generationOf = (rotations: KeyRotations, tenant: TenantId): Promise<string | null | undefined> =>
  rotations.wrappingTarget(tenant).then(
    ({ material }) => material,
    () => undefined,
  );

async function patientsOf(
  store: Store,
  tenant: TenantId,
  { most, onPage }: { most: number; onPage: ((seen: number) => void) | undefined },
): Promise<Omit<KeyStatus['patients'], 'dueAt'>> {
  const versions: Record<string, number> = {};
  let [seen, rotating, isPartial] = [0, 0, false];
  let [oldest, newest]: (number | null)[] = [null, null];
  for await (const page of pagesOf(store, tenant, { of: patientKeys, limit: PAGE })) {
    if (seen >= most) {
      isPartial = true;
      break;
    }
    const refs = page.map(({ id, row }) => keyVersionRef(id as PatientId, row.current));
    const ages = (await store.tenant(tenant).get(...refs)).flatMap((row) =>
      row === null ? [] : [row.createdAt],
    );
    for (const { row } of page) versions[row.current] = (versions[row.current] ?? 0) + 1;
    rotating += page.filter(({ row }) => row.state !== 'active').length;
    seen += page.length;
    oldest = Math.min(...ages, oldest ?? Number.POSITIVE_INFINITY);
    newest = Math.max(...ages, newest ?? 0);
    onPage?.(seen);
  }
  return { seen, isPartial, versions, rotating, oldest: oldest ?? null, newest: newest ?? null };
}

async function indexOf(
  store: Store,
  tenant: TenantId,
): Promise<Omit<NonNullable<KeyStatus['index']>, 'dueAt'> | null> {
  const [state] = await store.tenant(tenant).get(INDEX_STATE);
  if (state === null) return null;
  const [key] = await store.tenant(tenant).get(ref(indexKeys, String(state.write)));
  return {
    version: state.write,
    isRotating: state.write !== state.oldest,
    createdAt: key?.createdAt ?? null,
  };
}
