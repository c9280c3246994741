import type { AuditEvent } from '../../audit/event.ts';
import { CUT_OPERATION, FLOOR_MS } from '../../audit/verify/cuts.ts';
import { type Found, Places } from './places.ts';

/** What the events of the log say of the house itself. */
export interface LogFacts {
  readonly events: number;
  /** Of the first and the last event; empty without one. */
  readonly first: string;
  readonly last: string;
  readonly cuts: number;
  /** Cuts that took events younger than six years. */
  readonly youngCuts: Found;
  /** Events on a patient without a person, a purpose or a policy. */
  readonly unattributed: Found;
  /** Disclosures that name no recipient. */
  readonly unnamedDisclosures: Found;
  readonly disclosures: number;
  readonly refusals: number;
}

/** Reads events as they pass, in any order. */
export class LogWatch {
  #events = 0;
  #cuts = 0;
  #disclosures = 0;
  #refusals = 0;
  #first = '';
  #last = '';
  readonly #young = new Places();
  readonly #unattributed = new Places();
  readonly #unnamed = new Places();

  see(event: AuditEvent): void {
    const { id, recorded, actor, patient, purposeOfUse, policy, outcome, entity } = event;
    this.#events += 1;
    if (this.#first === '' || recorded < this.#first) this.#first = recorded;
    if (recorded > this.#last) this.#last = recorded;
    if (outcome !== '0') this.#refusals += 1;
    if (event.operation === CUT_OPERATION && outcome === '0') this.#seeCut(event);
    if (patient !== undefined && [actor.user, actor.role, purposeOfUse, policy].some((part) => !part))
      this.#unattributed.add(id);
    if (entity?.recipient === undefined) return;
    this.#disclosures += 1;
    if (entity.recipient.trim() === '') this.#unnamed.add(id);
  }

  get facts(): LogFacts {
    return {
      ...{ events: this.#events, first: this.#first, last: this.#last, cuts: this.#cuts },
      ...{ youngCuts: this.#young.found, unattributed: this.#unattributed.found },
      ...{
        unnamedDisclosures: this.#unnamed.found,
        disclosures: this.#disclosures,
        refusals: this.#refusals,
      },
    };
  }

  #seeCut({ id, recorded, entity }: AuditEvent): void {
    this.#cuts += 1;
    const newest = Date.parse(entity?.fields?.[0]?.replace('newest ', '') ?? '');
    if (!(Date.parse(recorded) - newest >= FLOOR_MS)) this.#young.add(id);
  }
}
