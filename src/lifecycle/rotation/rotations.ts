import type { AuditLog } from '../../audit/append.ts';
import { DEFAULT_INDEX_BITS } from '../../crypto/blind-index.ts';
import { INDEX_STATE, type IndexKeys, indexKeys } from '../../crypto/index-keys.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import type { KmsTenantKeys } from '../../crypto/kms-tenant-keys.ts';
import type { PatientIndex } from '../../crypto/patient-index.ts';
import type { PatientKeys } from '../../crypto/patient-keys.ts';
import type { SealedCharts } from '../../crypto/sealed-charts.ts';
import { rootKeyOf, type WrappingTarget } from '../../crypto/wrapped-kinds.ts';
import type { Clock } from '../../kernel/clock.ts';
import { ref } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { Store } from '../../kernel/store.ts';
import { LifecycleError } from '../errors.ts';
import { withDraft } from '../jobs/drafts.ts';
import type { JobActor } from '../jobs/events.ts';
import { Jobs } from '../jobs/jobs.ts';
import type { JobKind } from '../jobs/kind.ts';
import type { JobQueue } from '../jobs/queue.ts';
import { tenantEntry } from './events.ts';
import { moveWrappingKey } from './move.ts';
import { reencryptKind, reencryptSpec } from './reencrypt.ts';
import { reindexKind, reindexSpec } from './reindex.ts';
import { rewrapKind, rewrapSpec } from './rewrap.ts';

/** What key rotation stands on. */
export interface RotationOptions {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly queue: JobQueue;
  readonly keyring: Keyring;
  /** Re-encrypts wrapped keys; in AWS by a role of its own, which never sees a data key. */
  readonly rewrapper: Keyring;
  readonly keys: PatientKeys;
  readonly charts: SealedCharts;
  readonly indexKeys: IndexKeys;
  readonly index: PatientIndex;
  /** The wrapping key of a tenant. */
  readonly tenantKeyId: (tenant: TenantId) => Promise<string>;
  /** The administration of KMS keys; null for local keys. */
  readonly admin: KmsTenantKeys | null;
  /** Makes the next wrapping key of a tenant and ends the last; null where nobody may. */
  readonly epochKeys: KmsTenantKeys | null;
  /** The oldest that a patient key or an index key may become, in ms. */
  readonly maxAgeMs: number;
}

/** The kinds of jobs on keys. */
export const KEY_JOBS = ['rewrap', 'reencrypt', 'reindex'] as const;
export type KeyJob = (typeof KEY_JOBS)[number];

/** How a job is started. */
export interface RotationStart {
  readonly by: JobActor;
  /** Items a second; 0 unless given: no limit. */
  readonly rate?: number;
  /** Sixteen parts even for a small tenant. */
  readonly isWide?: boolean;
}

/** Begins the rotation of a tenant's keys, at each of the three levels. Everything else is the jobs' work. */
export class KeyRotations {
  readonly options: RotationOptions;
  readonly jobs: Jobs;
  readonly #kinds: ReadonlyMap<string, JobKind>;

  constructor(options: RotationOptions) {
    this.options = options;
    const kinds = [rewrapKind(options), reencryptKind(options), reindexKind(options)];
    this.#kinds = new Map(kinds.map((kind) => [kind.name, kind]));
    this.jobs = new Jobs({ ...options, kindOf: (name) => this.kindOf(name) });
  }

  /** @throws LifecycleError `JOB_UNKNOWN`. */
  kindOf(name: string): JobKind {
    const kind = this.#kinds.get(name);
    if (kind === undefined)
      throw new LifecycleError('JOB_UNKNOWN', `This version knows no job of the kind "${name}".`);
    return kind;
  }

  /**
   * Has KMS rotate the tenant's wrapping key now, so that new keys are wrapped by its new generation. A rewrap brings the
   * others there.
   *
   * @throws LifecycleError `KEYS_LOCAL`; CryptoError as `KmsTenantKeys.rotate`.
   */
  async rotateWrappingKey(tenant: TenantId, by: JobActor): Promise<void> {
    const { admin, audit, tenantKeyId } = this.options;
    if (admin === null)
      throw new LifecycleError(
        'KEYS_LOCAL',
        'Local keys are rotated by adding an active version to CHARTSEAL_LOCAL_KEYS. Then run "chartseal keys rewrap --key".',
      );
    const keyId = await tenantKeyId(tenant);
    // KMS is no part of our transactions: what is about to be done is logged first.
    await audit.append(tenant, tenantEntry('rotateWrappingKey', by));
    await admin.rotate(keyId);
  }

  /**
   * Brings every wrapped key to the tenant's wrapping key and its generation now; with `toKey` the tenant moves to that
   * key first.
   *
   * @throws LifecycleError `JOB_OPEN`; CryptoError when the key cannot be used, before anything was changed.
   */
  async rewrap(tenant: TenantId, start: RotationStart & { readonly toKey?: string }): Promise<string> {
    if (start.toKey !== undefined)
      await moveWrappingKey(this.options, tenant, { toKey: start.toKey, by: start.by });
    const spec = rewrapSpec(await this.wrappingTarget(tenant));
    return this.jobs.start(tenant, { ...start, kind: this.kindOf('rewrap'), spec });
  }

  /**
   * Gives a new key to every patient whose key was made before `before` (ms since the epoch; 0 to none), seals their
   * charts anew and retires the old keys.
   *
   * @throws LifecycleError `JOB_OPEN`.
   */
  reencrypt(tenant: TenantId, start: RotationStart & { readonly before: number }): Promise<string> {
    return this.jobs.start(tenant, {
      ...start,
      kind: this.kindOf('reencrypt'),
      spec: reencryptSpec(start.before),
    });
  }

  /** Moves the search index to a new key. @throws LifecycleError `JOB_OPEN`; CryptoError as `IndexKeys.begin`. */
  async reindex(tenant: TenantId, start: RotationStart): Promise<string> {
    const { audit, indexKeys: keys, store } = this.options;
    const [state] = await store.tenant(tenant).get(INDEX_STATE);
    const [row] = await store.tenant(tenant).get(ref(indexKeys, String(state?.write ?? 1)));
    const bits =
      row === null
        ? DEFAULT_INDEX_BITS
        : { nameBirthDate: row.nameBirthDateBits, surnameBirthYear: row.surnameBirthYearBits };
    const version = await withDraft(audit, tenant, {
      work: (draft) =>
        keys.begin(tenant, bits, (tx) => draft.write(tx, tenantEntry('renewIndexKey', start.by))),
      wasWritten: async (_version, { proof }) => (await store.tenant(tenant).get(proof))[0] !== null,
    });
    return this.jobs.start(tenant, { ...start, kind: this.kindOf('reindex'), spec: reindexSpec(version) });
  }

  /**
   * The tenant's wrapping key and the generation that wraps now, learnt by one ReEncrypt of the tenant's root, whose
   * answer is dropped: the app's role need not be allowed to describe keys.
   *
   * @throws CryptoError `KEY_MISSING` before the tenant has a root, and as `Keyring.rewrap`.
   */
  async wrappingTarget(tenant: TenantId): Promise<WrappingTarget> {
    const { store, rewrapper, tenantKeyId } = this.options;
    const keyId = await tenantKeyId(tenant);
    const root = await rootKeyOf(store.tenant(tenant), tenant);
    if (root === null) return { keyId, material: null };
    const { material = null } = await rewrapper.rewrap(root.wrapped, root.context, keyId);
    return { keyId, material };
  }
}
