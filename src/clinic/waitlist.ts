import { z } from 'zod';
import type { OpenChart, ValueName } from '../crypto/open-chart.ts';
import type { SealedCharts } from '../crypto/sealed-charts.ts';
import type { TenantSecrets } from '../crypto/tenant-secrets.ts';
import { collection, type Row, ref } from '../kernel/collection.ts';
import { randomId } from '../kernel/ids.ts';
import type { Store, Transaction } from '../kernel/store.ts';
import { ClinicError } from './errors.ts';
import { holderOf, holderTag, newHold } from './holds.ts';
import type { OpenSlot } from './slots.ts';
import type { ChangedVisit, FoundPlace, VisitRequest, VisitWork } from './visit-work.ts';

/**
 * Who waits for an earlier time. The queue's row says which visit and when, and by a keyed digest for whom; the
 * chart's sealed value says which row is theirs. Neither alone tells who waits for what.
 */
export const waitlist = collection('waitlist', {
  visitType: 'text',
  practitioner: 'text?',
  /** A slot may start in `[from, to)`. */
  from: 'instant',
  to: 'instant',
  joinedAt: 'instant',
  state: 'text',
  /** The hold by which a freed time is kept for them, and for whom that hold is. */
  booking: 'text',
  holder: 'bytes',
  offer: 'json?',
  offeredUntil: 'instant?',
});

/** What a patient waits for. Times are ms since the epoch. */
export const waiting = z.object({
  entry: z.string(),
  visitType: z.string(),
  practitioner: z.string().nullable(),
  from: z.number().int(),
  to: z.number().int(),
  joinedAt: z.number().int(),
});
export type Waiting = z.infer<typeof waiting>;

/** A place in the queue as its patient sees it. */
export interface WaitingPlace extends Waiting {
  readonly id: string;
  /** A time that is kept for them, until `offeredUntil`. */
  readonly offer: OpenSlot | null;
  readonly offeredUntil: number | null;
  /** False when the wish is in the past or was withdrawn. */
  readonly open: boolean;
}

/** A request to wait for a visit. */
export interface JoinRequest extends Omit<VisitRequest, 'audit' | 'client'> {
  readonly wish: Pick<Waiting, 'visitType' | 'practitioner' | 'from' | 'to'>;
  readonly audit: {
    draft: VisitRequest['audit']['draft'];
    write: (tx: Transaction, joined: Omit<ChangedVisit, 'visit'> & { id: string }) => void;
  };
}

const MAX_PLACES = 10;
const WAITING_SCHEMA = 1;
const ID = /^wai_[A-Za-z0-9_-]{22}$/;

const nameOf = (id: string): ValueName => ({
  collection: 'appointments',
  document: id,
  compartment: 'scheduling',
});

/** Whether a document of a chart is a place in the queue. */
export const isWaiting = (document: string): boolean => ID.test(document);

/** The ids of a chart's places in the queue. */
export const placesIn = (chart: OpenChart): string[] => chart.documents('appointments').filter(isWaiting);

/** The waiting list of every clinic. */
export class Waitlist {
  readonly #store: Store;
  readonly #charts: SealedCharts;
  readonly #secrets: TenantSecrets;

  constructor(options: { store: Store; charts: SealedCharts; secrets: TenantSecrets }) {
    this.#store = options.store;
    this.#charts = options.charts;
    this.#secrets = options.secrets;
  }

  /** @throws ClinicError `WAITLIST_FULL` over ten places of one patient. */
  async join(request: JoinRequest): Promise<{ id: string }> {
    const { of, now, wish, audit } = request;
    const tag = await holderTag(this.#secrets, of);
    return this.#charts.transact(
      of,
      async (chart, tx) => {
        if (placesIn(chart).length >= MAX_PLACES)
          throw new ClinicError('WAITLIST_FULL', `One may wait for ${MAX_PLACES} visits. Leave one first.`);
        const [id, entry, booking] = [randomId('wai'), randomId('wl'), newHold()];
        const sealed: Waiting = { ...wish, entry, joinedAt: now };
        await chart.seal(nameOf(id), Buffer.from(JSON.stringify(sealed)), WAITING_SCHEMA);
        const written = await chart.save(tx);
        const row = { state: 'waiting', holder: holderOf(tag, booking), offer: null, offeredUntil: null };
        tx.create(ref(waitlist, entry), { ...wish, joinedAt: now, booking, ...row });
        audit.write(tx, { alias: chart.alias, written, id });
        return { id };
      },
      { proof: audit.draft.proof },
    );
  }

  /** The places of a patient, and what is offered to them. Empty when there is no such chart. */
  async places(of: VisitRequest['of']): Promise<WaitingPlace[]> {
    const read = await this.#charts.read(of, (chart) => placesIn(chart).map(nameOf));
    if (read === null) return [];
    const ids = placesIn(read.chart);
    const found = read.values.map((value, index) => ({ id: ids[index] ?? '', ...parseWaiting(value) }));
    if (found.length === 0) return [];
    const rows = await this.#store.tenant(of.tenant).get(...found.map(({ entry }) => ref(waitlist, entry)));
    return found.map((place, index) => ({ ...place, ...offerOf(rows[index] ?? null) }));
  }

  /** Gives up a place; a time that is kept for it is free again with the next sweep. */
  leave(request: Omit<JoinRequest, 'wish'> & { id: string }): Promise<void> {
    const { of, id, audit } = request;
    return this.#charts.transact(
      of,
      async (chart, tx) => {
        const [value] = isWaiting(id) ? await chart.read([nameOf(id)]) : [];
        if (value == null)
          throw new ClinicError('APPOINTMENT_UNKNOWN', 'There is no such place on the waiting list.');
        const { entry } = parseWaiting(value);
        chart.remove(nameOf(id));
        const written = await chart.save(tx);
        tx.delete(ref(waitlist, entry));
        audit.write(tx, { alias: chart.alias, written, id });
      },
      { proof: audit.draft.proof },
    );
  }
}

/**
 * When a held time that is being booked was offered to this patient: takes their place out of the queue, in the
 * transaction that books. Call before `chart.save`; what it returns goes after.
 */
export async function closeOffer(
  { chart, tx }: VisitWork,
  { giveWay }: FoundPlace,
): Promise<((tx: Transaction) => void) | null> {
  const own = giveWay.find((held) => held.own);
  if (own === undefined) return null;
  const [entry] = await tx.list(waitlist, { equals: { booking: own.booking }, limit: 1 });
  if (entry === undefined) return null;
  const ids = placesIn(chart);
  const values = await chart.read(ids.map(nameOf));
  const id = ids.find((_, index) => parseWaiting(values[index] ?? null).entry === entry.id);
  if (id !== undefined) chart.remove(nameOf(id));
  return (writes) => writes.delete(ref(waitlist, entry.id));
}

/** @throws ClinicError `APPOINTMENT_UNKNOWN` for null. */
export function parseWaiting(value: Buffer | null): Waiting {
  if (value === null)
    throw new ClinicError('APPOINTMENT_UNKNOWN', 'There is no such place on the waiting list.');
  return waiting.parse(JSON.parse(value.toString('utf8')));
}

function offerOf(row: Row<typeof waitlist.columns> | null) {
  if (row === null) return { offer: null, offeredUntil: null, open: false };
  return { offer: row.offer as unknown as OpenSlot | null, offeredUntil: row.offeredUntil, open: true };
}
