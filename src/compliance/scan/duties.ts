import { emergencyRecords } from '../../access/emergency.ts';
import { members, ROLES } from '../../access/members.ts';
import { relationships } from '../../access/relationships.ts';
import { patientKeys } from '../../crypto/patient-keys.ts';
import { tombstones } from '../../crypto/tombstones.ts';
import { ref } from '../../kernel/collection.ts';
import { erasures } from '../../lifecycle/erasure/receipt.ts';
import { privacyRequests } from '../../lifecycle/requests/request.ts';
import { type Found, Places } from './places.ts';
import { type Page, type RowWatch, rowsOf } from './rows.ts';

/** What somebody ought to have done by now. */
export interface DutyFacts {
  readonly emergencies: number;
  /** Emergency accesses that nobody else looked at in time. */
  readonly overdueReviews: Found;
  readonly requests: number;
  /** Requests of people that were not answered within 30 days. */
  readonly lateRequests: Found;
  readonly erasures: number;
  /** Erasures that began and are not done. */
  readonly stuckErasures: Found;
  /** Erasures that are done and do not say when the keys or the last copy are gone. */
  readonly partReceipts: Found;
  readonly tombstones: number;
  /** Erased patients who have keys again. */
  readonly returned: Found;
  readonly members: number;
  /** Members whose role this version does not know, and patients without a chart of their own. */
  readonly oddMembers: Found;
  readonly relationships: number;
  /** Relationships that last longer than {@link LONGEST_RELATIONSHIP_MS} from now. */
  readonly endless: Found;
}

/** 45 CFR 164.524(b)(2), and a month of GDPR Art. 12(3) at its shortest but two days. */
export const ANSWER_MS = 30 * 86_400_000;
/** A purge takes minutes; after a day it is stuck. */
export const ERASURE_MS = 86_400_000;
/** Treatment and guardianship end: an access that never does is one that nobody looks at again. */
export const LONGEST_RELATIONSHIP_MS = 5 * 366 * 86_400_000;
/** Asked, and not answered. */
const UNANSWERED: readonly string[] = ['confirmed', 'review'];

/** Looks at what is due. */
export class DutyWatch implements RowWatch {
  readonly #now: number;
  readonly #seen = { emergencies: 0, requests: 0, erasures: 0, tombstones: 0, members: 0, relationships: 0 };
  readonly #places = {
    overdueReviews: new Places(),
    lateRequests: new Places(),
    stuckErasures: new Places(),
    partReceipts: new Places(),
    returned: new Places(),
    oddMembers: new Places(),
    endless: new Places(),
  };

  constructor(now: number) {
    this.#now = now;
  }

  async see(page: Page): Promise<void> {
    this.#seeRights(page);
    this.#seePeople(page);
    await this.#seeTombstones(page);
  }

  get facts(): DutyFacts {
    const { overdueReviews, lateRequests, stuckErasures, partReceipts, returned, oddMembers, endless } =
      this.#places;
    return {
      ...this.#seen,
      ...{ overdueReviews: overdueReviews.found, lateRequests: lateRequests.found },
      ...{ stuckErasures: stuckErasures.found, partReceipts: partReceipts.found, returned: returned.found },
      ...{ oddMembers: oddMembers.found, endless: endless.found },
    };
  }

  #seeRights(page: Page): void {
    for (const { id, row } of rowsOf(page, emergencyRecords)) {
      this.#seen.emergencies += 1;
      if (row.state === 'open' && row.dueAt <= this.#now) this.#places.overdueReviews.add(id);
    }
    for (const { id, row } of rowsOf(page, privacyRequests)) {
      this.#seen.requests += 1;
      if (UNANSWERED.includes(row.state) && row.askedAt + ANSWER_MS <= this.#now)
        this.#places.lateRequests.add(id);
    }
    for (const { id, row } of rowsOf(page, erasures)) {
      this.#seen.erasures += 1;
      if (row.purgedAt === null && row.startedAt + ERASURE_MS <= this.#now)
        this.#places.stuckErasures.add(id);
      const { purgedAt, logicalAt, finalAt } = row;
      if (purgedAt !== null && (logicalAt === null || finalAt === null || finalAt < purgedAt))
        this.#places.partReceipts.add(id);
    }
  }

  #seePeople(page: Page): void {
    for (const { id, row } of rowsOf(page, members)) {
      this.#seen.members += 1;
      const role = ROLES.find((one) => one === row.role);
      if (role === undefined || (role === 'patient' && row.patient === null)) this.#places.oddMembers.add(id);
    }
    for (const { id, row } of rowsOf(page, relationships)) {
      this.#seen.relationships += 1;
      if (row.expiresAt > this.#now + LONGEST_RELATIONSHIP_MS) this.#places.endless.add(id);
    }
  }

  async #seeTombstones(page: Page): Promise<void> {
    const rows = rowsOf(page, tombstones);
    if (rows.length === 0) return;
    this.#seen.tombstones += rows.length;
    const keys = await page.reader.get(...rows.map(({ id }) => ref(patientKeys, id)));
    for (const [at, { id }] of rows.entries()) if (keys[at] !== null) this.#places.returned.add(id);
  }
}
