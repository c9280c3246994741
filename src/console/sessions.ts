import { hash, randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { collection, type Row, ref } from '../kernel/collection.ts';
import { parseTenantId, parseUserId, type TenantId, type UserId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';

/** Who is signed in to the console, id = hash of the cookie's secret. */
export const consoleSessions = collection('consoleSessions', {
  user: 'text',
  signedInAt: 'instant',
  seenAt: 'instant',
  /** When the log was last opened for reading, which is an event of its own. */
  readAt: 'instant?',
});

/** Without a call for this long a session ends, ms. */
export const IDLE_MS = 15 * 60_000;
/** However busy, a session ends after this, ms. */
export const ABSOLUTE_MS = 8 * 3_600_000;
/** One logged reading of the log lasts this long, ms. */
export const READING_MS = 15 * 60_000;
/** A session's row is written again at most this often, ms. */
const TOUCH_MS = 60_000;
const SWEEP_PAGE = 100;

/** A live session. */
export interface ConsoleSession {
  readonly tenant: TenantId;
  readonly user: UserId;
  readonly id: string;
  /** It ends at the latest then, ms since the epoch. */
  readonly until: number;
  readonly readAt: number | null;
}

/** The console's sessions in the store: ending one ends it at once, on every instance. */
export class ConsoleSessions {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Also takes away what has ended in that tenant. @returns the cookie's value. */
  async open(tenant: TenantId, user: UserId): Promise<string> {
    const secret = randomBytes(32).toString('base64url');
    const now = this.#clock();
    const rows = this.#store.tenant(tenant);
    const old = (await rows.list(consoleSessions, { limit: SWEEP_PAGE })).filter(
      ({ row }) => !isLive(row, now),
    );
    await rows.transact(async (tx) => {
      for (const { id } of old) tx.delete(ref(consoleSessions, id));
      tx.create(ref(consoleSessions, idOf(secret)), { user, signedInAt: now, seenAt: now, readAt: null });
    });
    return `${tenant}.${secret}`;
  }

  /** Null when there is no live session of that value. Counts as a sign of life. */
  async find(value: string | undefined): Promise<ConsoleSession | null> {
    const [, tenantName, secret] = /^([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{43})$/.exec(value ?? '') ?? [];
    if (tenantName === undefined || secret === undefined) return null;
    const tenant = parseTenantId(tenantName);
    const id = idOf(secret);
    const [row] = await this.#store.tenant(tenant).get(ref(consoleSessions, id));
    const now = this.#clock();
    if (row === null || !isLive(row, now)) return null;
    if (now - row.seenAt > TOUCH_MS) await this.#change({ tenant, id }, { seenAt: now });
    const until = row.signedInAt + ABSOLUTE_MS;
    return { tenant, id, until, user: parseUserId(row.user), readAt: row.readAt };
  }

  /** Begins a reading of the log. */
  startReading(session: Pick<ConsoleSession, 'tenant' | 'id'>): Promise<void> {
    return this.#change(session, { readAt: this.#clock() });
  }

  isReading({ readAt }: ConsoleSession): boolean {
    return readAt !== null && this.#clock() - readAt < READING_MS;
  }

  async end({ tenant, id }: Pick<ConsoleSession, 'tenant' | 'id'>): Promise<void> {
    await this.#store.tenant(tenant).transact(async (tx) => tx.delete(ref(consoleSessions, id)));
  }

  /** A session that has ended in the meantime stays ended. */
  async #change(
    { tenant, id }: Pick<ConsoleSession, 'tenant' | 'id'>,
    changes: Partial<Row<typeof consoleSessions.columns>>,
  ): Promise<void> {
    await this.#store.tenant(tenant).transact(async (tx) => {
      const [row] = await tx.get(ref(consoleSessions, id));
      if (row !== null) tx.put(ref(consoleSessions, id), { ...row, ...changes });
    });
  }
}

const isLive = (row: Row<typeof consoleSessions.columns>, now: number): boolean =>
  now - row.seenAt < IDLE_MS && now - row.signedInAt < ABSOLUTE_MS;

const idOf = (secret: string): string => hash('sha256', `chartseal/console/1\0${secret}`, 'base64url');
