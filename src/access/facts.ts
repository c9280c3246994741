import { ref } from '../kernel/collection.ts';
import { type PatientId, parsePatientId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import type { Principal } from './bearer.ts';
import { type Consent, consentOf, consentRef } from './consents.ts';
import { emergencyAt, emergencyRef } from './emergency.ts';
import { findMember, type Member, memberOf, members } from './members.ts';
import { clientOpenings, type OpeningsRow, personOpenings } from './openings.ts';
import { type Relationship, relationshipAt, relationshipRef } from './relationships.ts';

/** What stands between the caller and one chart. */
export interface ChartFacts {
  readonly patient: PatientId;
  readonly relationship: Relationship;
  readonly consent: Consent;
  /** The caller's own emergency access to this chart lasts. */
  readonly emergency: boolean;
}

/** All that the store knows about who calls and what they ask for. */
export interface Facts {
  readonly member: Member | null;
  /** Null when the call is about no chart, or nobody could hold the handle. */
  readonly chart: ChartFacts | null;
}

/** Rows that were read beside the facts for what follows a permit; no policy sees them. */
export interface OpeningRows {
  readonly person: OpeningsRow | null;
  readonly client: OpeningsRow | null;
}

const NO_ROWS: OpeningRows = { person: null, client: null };
const MAX_HINTS = 2_000;

/** Reads what the store knows of a caller and a chart. Nothing that decides is cached: a change holds at once. */
export class FactReader {
  readonly #store: Store;
  /** Whose own chart is which, only to know what to fetch together; the member's row, fetched with it, decides. */
  readonly #hints = new Map<string, PatientId>();

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * The facts of one call, in one round trip (two for the first call about the own chart). A handle that does not
   * exist costs and looks the same as one that does.
   *
   * @param asked the `patient` argument; null means the caller's own chart.
   */
  async gather(
    caller: Pick<Principal, 'tenant' | 'user' | 'client'>,
    question: { asked: string | null; aboutChart: boolean; now: number },
  ): Promise<Facts & { openings: OpeningRows }> {
    if (!question.aboutChart) return { ...(await this.#member(caller)), chart: null, openings: NO_ROWS };
    if (question.asked !== null) {
      const named = handleOf(question.asked);
      if (named === null) return { ...(await this.#member(caller)), chart: null, openings: NO_ROWS };
      return this.#chart(caller, named, question.now);
    }
    const hint = this.#hints.get(`${caller.tenant}/${caller.user}`);
    const guessed =
      hint === undefined ? await this.#member(caller) : await this.#chart(caller, hint, question.now);
    const own = guessed.member?.ownChart ?? null;
    if (own === null) return { member: guessed.member, chart: null, openings: NO_ROWS };
    this.#remember(`${caller.tenant}/${caller.user}`, own);
    return 'openings' in guessed && own === hint ? guessed : this.#chart(caller, own, question.now);
  }

  async #member({ tenant, user }: Pick<Principal, 'tenant' | 'user'>): Promise<{ member: Member | null }> {
    return { member: await findMember(this.#store, tenant, user) };
  }

  async #chart(
    { tenant, user, client }: Pick<Principal, 'tenant' | 'user' | 'client'>,
    patient: PatientId,
    now: number,
  ): Promise<Facts & { openings: OpeningRows }> {
    const pair = { user, patient };
    const [row, related, said, granted, person, byClient] = await this.#store
      .tenant(tenant)
      .get(
        ref(members, user),
        relationshipRef(pair),
        consentRef(patient),
        emergencyRef(pair),
        personOpenings(user),
        clientOpenings(client, patient),
      );
    const member = row === null ? null : memberOf(row);
    const chart: ChartFacts = {
      patient,
      relationship: member?.ownChart === patient ? 'self' : relationshipAt(related, pair, now),
      consent: consentOf(said),
      emergency: emergencyAt(granted, pair, now),
    };
    return { member, chart, openings: { person, client: byClient } };
  }

  #remember(key: string, own: PatientId): void {
    const oldest = this.#hints.keys().next();
    if (this.#hints.size >= MAX_HINTS && oldest.done !== true) this.#hints.delete(oldest.value);
    this.#hints.set(key, own);
  }
}

/** Null for what no handle can be. */
function handleOf(asked: string): PatientId | null {
  try {
    return parsePatientId(asked);
  } catch {
    return null;
  }
}
