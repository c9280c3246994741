import type { AuditEntry, AuditLog } from '../audit/append.ts';
import type { AuditActor } from '../audit/event.ts';
import type { Clock } from '../kernel/clock.ts';
import type { PatientId, TenantId } from '../kernel/ids.ts';
import type { Store, Transaction } from '../kernel/store.ts';
import type { Alert, OnAlert } from './alerts.ts';
import { AccessError } from './errors.ts';
import {
  allClientOpenings,
  clientOpenings,
  type Opener,
  type OpeningsRow,
  openingsAt,
  personOpenings,
  tagOf,
} from './openings.ts';

/** How many different charts within an hour are usual: over `slowAfter` each further one waits, over `stopAfter` none opens. */
export interface OpeningLimits {
  readonly slowAfter: number;
  readonly stopAfter: number;
}

/** What {@link OpeningGuard} stands on. */
export interface OpeningGuardOptions {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly limits: { readonly person: OpeningLimits; readonly client: OpeningLimits };
  readonly onAlert: OnAlert;
  /** Waits so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
}

/** One opening that was permitted, and what the store said of the opener before. */
export interface PermittedOpening {
  readonly tenant: TenantId;
  readonly patient: PatientId;
  readonly actor: AuditActor & Opener;
  readonly rows: { readonly person: OpeningsRow | null; readonly client: OpeningsRow | null };
}

const STEP_MS = 100;
const MAX_DELAY_MS = 2_000;

/**
 * Holds back a person or a client that opens unusually many different charts: first slowed, then stopped, by counts
 * in the store, so that other instances, new connections and parallel calls count too. A chart that was opened within
 * the hour opens again freely. It decides nothing about who may see what, and runs only after a permit.
 */
export class OpeningGuard {
  readonly #options: OpeningGuardOptions;

  constructor(options: OpeningGuardOptions) {
    this.#options = options;
  }

  /**
   * Counts the opening. Costs no round trip for a chart that was opened within the hour.
   *
   * @returns whether it had to wait: then what was decided before is old.
   * @throws AccessError `CHART_LIMIT` when it would be one too many; it is not counted then.
   */
  async admit(opening: PermittedOpening): Promise<boolean> {
    const { clock, limits, wait } = this.#options;
    const tag = tagOf(opening.patient);
    const now = clock();
    const known = [opening.rows.person, opening.rows.client].every((row) => openingsAt(row, now).has(tag));
    if (known) return false;
    const others = await this.#otherShards(opening, now);
    const counts = await this.#count(opening, { tag, others });
    const excess = Math.max(counts.person - limits.person.slowAfter, counts.client - limits.client.slowAfter);
    if (excess <= 0) return false;
    await wait(Math.min(MAX_DELAY_MS, excess * STEP_MS));
    return true;
  }

  /** What the client opened that lies in other rows than this chart's. */
  async #otherShards({ tenant, actor, patient }: PermittedOpening, now: number): Promise<number> {
    const own = clientOpenings(actor.client, patient).id;
    const refs = allClientOpenings(actor.client).filter(({ id }) => id !== own);
    const rows = await this.#options.store.tenant(tenant).get(...refs);
    return rows.reduce((sum, row) => sum + openingsAt(row as OpeningsRow | null, now).size, 0);
  }

  async #count(
    opening: PermittedOpening,
    more: { tag: string; others: number },
  ): Promise<{ person: number; client: number }> {
    const { store, audit, clock, limits } = this.#options;
    const draft = audit.draft(opening.tenant);
    let slowed = false;
    try {
      const counts = await store.tenant(opening.tenant).transact(
        async (tx) => {
          const counted = await countIn(tx, opening, { ...more, limits, now: clock() });
          slowed = counted.slowed;
          if (slowed) draft.write(tx, slowedEntry(opening.actor));
          return counted;
        },
        { proof: draft.proof },
      );
      if (slowed) {
        draft.confirm();
        this.#alert('charts-slowed', opening);
      } else draft.abandon();
      return counts;
    } catch (error) {
      draft.abandon();
      if (error instanceof AccessError) this.#alert('charts-stopped', opening);
      throw error;
    }
  }

  #alert(kind: Alert['kind'], { tenant, actor }: PermittedOpening): void {
    this.#options.onAlert({ kind, tenant, user: actor.user, about: actor.client });
  }
}

interface Counted {
  readonly person: number;
  readonly client: number;
  /** This very opening is the first that has to wait. */
  readonly slowed: boolean;
}

async function countIn(
  tx: Transaction,
  { actor, patient }: PermittedOpening,
  more: { tag: string; others: number; limits: OpeningGuardOptions['limits']; now: number },
): Promise<Counted> {
  const { tag, others, limits, now } = more;
  const refs = [personOpenings(actor.user), clientOpenings(actor.client, patient)] as const;
  const rows = await tx.get(...refs);
  const before = rows.map((row) => openingsAt(row, now));
  const [person = 0, client = 0] = before.map((charts, index) => {
    const limit = index === 0 ? limits.person : limits.client;
    const size = charts.size + (index === 0 ? 0 : others);
    if (charts.has(tag)) return size;
    if (size >= limit.stopAfter) throw tooMany();
    return size + 1;
  });
  const isNew = before.map((charts) => !charts.has(tag));
  for (const [index, charts] of before.entries()) {
    const at = refs[index];
    if (at === undefined || isNew[index] !== true) continue;
    tx.put(at, { charts: Object.fromEntries([...charts, [tag, now]]), changedAt: now });
  }
  const slowed =
    (isNew[0] === true && person === limits.person.slowAfter + 1) ||
    (isNew[1] === true && client === limits.client.slowAfter + 1);
  return { person, client, slowed };
}

const slowedEntry = (actor: AuditActor): AuditEntry => ({
  action: 'E',
  operation: 'charts-slowed',
  outcome: '0',
  reason: 'CHART_LIMIT',
  actor: { user: actor.user, role: actor.role, client: actor.client },
  purposeOfUse: 'HOPERAT',
  policy: 'chart-limits',
});

const tooMany = (): AccessError =>
  new AccessError(
    'CHART_LIMIT',
    'Unusually many different charts were opened within an hour. Wait before opening another one.',
  );
