import { setTimeout as sleep } from 'node:timers/promises';
import { members } from '../../access/members.ts';
import { auditEvents, auditPending } from '../../audit/append.ts';
import { type AuditEvent, leafOf } from '../../audit/event.ts';
import { bundleRef, eventIdsOf, placeOf } from '../../audit/tree-store.ts';
import { chartValues, manifests } from '../../crypto/open-chart.ts';
import { patientKeys } from '../../crypto/patient-keys.ts';
import { type Ref, ref } from '../../kernel/collection.ts';
import type { TenantStore } from '../../kernel/store.ts';
import { StackError } from '../errors.ts';
import { alter, type Change } from './alteration.ts';
import type { Assistant } from './clients.ts';
import { bookAnyVisit } from './conversation.ts';

/** What can be done to the store behind the server's back. */
export const TAMPERINGS = ['edit', 'delete', 'rollback', 'twin'] as const;
export type Tampering = (typeof TAMPERINGS)[number];

/** Where it is done. */
export interface TamperScene {
  /** The tenant's rows as the database's owner reaches them. */
  readonly rows: TenantStore;
  /** How many events the signed checkpoint covers. */
  readonly covered: number;
  /** The patient whose chart is rolled back. */
  readonly user: string;
  /** That patient's assistant, for what has to happen through the server first. */
  readonly connect: () => Promise<Assistant>;
  /** What is being waited for, for people. */
  readonly wait: (why: string) => void;
}

/** What was done, in words without PHI, and how to put it back. */
export interface Tampered {
  readonly lines: readonly string[];
  readonly undo: () => Promise<void>;
}

/** What was written within the last minute is not compared with the store. */
const SETTLED_MS = 62_000;
const TWIN_TRIES = 5;
const TWIN_POLL_MS = 5;
const PAGE = 1_000;

/**
 * Alters the store as someone with the database's password can, telling no log.
 *
 * @throws StackError `NOTHING_TO_ALTER` when the log or the chart has nothing of the kind.
 */
export const tamper = (how: Tampering, scene: TamperScene): Promise<Tampered> => WAYS[how](scene);

const WAYS: Readonly<Record<Tampering, (scene: TamperScene) => Promise<Tampered>>> = {
  edit: async ({ rows, covered }) => {
    const event = await lastAboutPatient(rows, covered);
    const forged = { ...event, actor: { ...event.actor, user: 'usr_somebody_else' } };
    const undo = await alter(rows, [{ at: ref(auditEvents, event.id), row: { leaf: leafOf(forged) } }]);
    return {
      lines: [
        `auditEvents/${event.id}: ${event.operation} by ${event.actor.user} is now by usr_somebody_else`,
      ],
      undo,
    };
  },
  delete: async ({ rows, covered }) => {
    const event = await lastAboutPatient(rows, covered);
    const undo = await alter(rows, [{ at: ref(auditEvents, event.id), row: null }]);
    return { lines: [`auditEvents/${event.id}: ${event.operation} by ${event.actor.user} is gone`], undo };
  },
  rollback: rollBackChart,
  twin: dropTwin,
};

/** The newest signed event that names a patient: what somebody with something to hide would begin with. */
async function lastAboutPatient(rows: TenantStore, covered: number): Promise<AuditEvent> {
  const { bundle, place } = placeOf(Math.max(0, covered - 1));
  const [entries] = await rows.get(bundleRef(bundle));
  const ids = eventIdsOf(entries).slice(0, place + 1);
  const leaves = await rows.get(...ids.map((id) => ref(auditEvents, id)));
  const found = leaves
    .flatMap((row) =>
      row === null ? [] : [JSON.parse(Buffer.from(row.leaf).toString('utf8')) as AuditEvent],
    )
    .findLast(({ patient }) => patient !== undefined);
  if (covered === 0 || found === undefined) throw nothing('No signed event is about a patient yet.');
  return found;
}

/** The whole chart as it was before a visit was booked, with its manifest and head: the server itself sees nothing. */
async function rollBackChart({ rows, user, connect, wait }: TamperScene): Promise<Tampered> {
  const [member] = await rows.get(ref(members, user));
  const patient = member?.patient;
  if (patient === undefined || patient === null) throw nothing('That person has no chart.');
  const older = await chartOf(rows, patient);
  const assistant = await connect();
  const appointment = await bookAnyVisit(assistant);
  await assistant.close();
  const newer = await chartOf(rows, patient);
  wait('A visit was booked. Waiting a minute: what was just written is not compared with the store yet.');
  await sleep(SETTLED_MS);
  const gone = [...newer.values()].filter(({ at }) => !older.has(keyOf(at)));
  const undo = await alter(rows, [...older.values(), ...gone.map(({ at }) => ({ at, row: null }))]);
  return {
    lines: [
      `chartValues/${patient}-…: as they were before appointment ${appointment}, manifest and head too`,
    ],
    undo,
  };
}

async function chartOf(rows: TenantStore, patient: string): Promise<Map<string, Change>> {
  const values = await rows.list(chartValues, { equals: { patient }, limit: PAGE });
  const [manifest, head] = await rows.get(ref(manifests, patient), ref(patientKeys, patient));
  const chart: Change[] = [
    ...values.map(({ id, row }) => ({ at: ref(chartValues, id), row })),
    { at: ref(manifests, patient), row: manifest },
    { at: ref(patientKeys, patient), row: head },
  ];
  return new Map(chart.map((change) => [keyOf(change.at), change]));
}

const keyOf = ({ collection, id }: Change['at']): string => `${collection.name}/${id}`;

/** An event's twin, taken away before the sequencer sees it: the event stays, and never gets into the tree. */
async function dropTwin({ rows, connect }: TamperScene): Promise<Tampered> {
  const assistant = await connect();
  try {
    for (let tries = 0; tries < TWIN_TRIES; tries += 1) {
      const dropped = await dropNextTwin(rows, assistant);
      if (dropped === null) continue;
      // The writer's next event names every event before it.
      await assistant.call('whoAmI', {});
      return {
        lines: [`auditPending/${dropped.id}: gone; its event stays out of the tree`],
        undo: dropped.undo,
      };
    }
  } finally {
    await assistant.close();
  }
  throw nothing('No event was pending long enough. Try again.');
}

async function dropNextTwin(
  rows: TenantStore,
  assistant: Assistant,
): Promise<{ id: string; undo: () => Promise<void> } | null> {
  const known = new Set((await rows.list(auditPending, { limit: PAGE })).map(({ id }) => id));
  let isAnswered = false;
  const calling = assistant.call('whoAmI', {}).finally(() => {
    isAnswered = true;
  });
  try {
    for (let isLast = false; !isLast; await sleep(TWIN_POLL_MS)) {
      // The event is committed before the answer, so the look after it is the last that can find it.
      isLast = isAnswered;
      const twin = (await rows.list(auditPending, { limit: PAGE })).find(({ id }) => !known.has(id));
      if (twin === undefined) continue;
      const { id, row } = twin;
      const at = ref(auditPending, id);
      if (!(await takeAway(rows, at))) return null;
      return { id, undo: () => rows.transact(async (tx) => tx.put(at, row)) };
    }
    return null;
  } finally {
    await calling;
  }
}

/** False when the sequencer was there first. */
const takeAway = (rows: TenantStore, at: Ref<typeof auditPending.columns>): Promise<boolean> =>
  rows.transact(async (tx) => {
    const [row] = await tx.get(at);
    if (row !== null) tx.delete(at);
    return row !== null;
  });

const nothing = (why: string): StackError => new StackError('NOTHING_TO_ALTER', why);
