import { type Clock, systemClock } from '../kernel/clock.ts';
import { collection, ref } from '../kernel/collection.ts';
import { SYSTEM_TENANT, type TenantId, type UserId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';

/**
 * One row for each connection that a person made to a client: whose it is, how they signed in, and whether it is
 * still good. Access tokens are JWTs that live ten minutes; this row is what makes them revocable at once, because
 * each carries the row's id as `grant_id`.
 */
export const oauthGrants = collection('oauthGrants', {
  userId: 'text',
  tenant: 'text',
  clientId: 'text',
  scope: 'text',
  /** Seconds since the Unix epoch, as in the token's `auth_time`. */
  authTime: 'integer',
  amr: 'json',
  createdAt: 'instant',
  expiresAt: 'instant',
  revokedAt: 'instant?',
});

/** A live connection. */
interface Connection {
  readonly grantId: string;
  readonly userId: UserId;
  readonly tenant: TenantId;
  readonly clientId: string;
  readonly scope: string;
  readonly authTime: number;
  readonly amr: readonly string[];
  /** Milliseconds since the Unix epoch, as is `expiresAt`. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** Reads and ends connections. The policy layer asks `find` or `isLive` before any PHI is opened. */
export interface GrantRegistry {
  record(connection: Connection): Promise<void>;
  /** Null when there is no such connection, or it was revoked or has expired. */
  find(grantId: string): Promise<Connection | null>;
  isLive(grantId: string): Promise<boolean>;
  /** Whose connection it is or was, also when it has ended; null when there never was such a one. */
  ownerOf(grantId: string): Promise<Pick<Connection, 'userId' | 'tenant' | 'clientId'> | null>;
  /** No error when it is unknown or already revoked. Refresh tokens of the grant fail from then on, too. */
  revoke(grantId: string): Promise<void>;
  /** The person's live connections, of the 100 rows that are looked at. */
  listFor(userId: UserId): Promise<Connection[]>;
}

const GRANT_ID = /^[A-Za-z0-9_-]{1,128}$/;

/** The registry over the store. `now` is in milliseconds since the Unix epoch. */
export function createGrantRegistry(store: Store, now: Clock = systemClock): GrantRegistry {
  const rows = store.tenant(SYSTEM_TENANT);

  const rowOf = async (grantId: string) =>
    GRANT_ID.test(grantId) ? (await rows.get(ref(oauthGrants, grantId)))[0] : null;
  const find = async (grantId: string): Promise<Connection | null> => {
    const row = await rowOf(grantId);
    return row === null ? null : live(grantId, row, now());
  };

  return {
    record: ({ grantId, ...connection }) =>
      rows.transact(async (tx) => {
        tx.create(ref(oauthGrants, grantId), { ...connection, amr: [...connection.amr], revokedAt: null });
      }),
    find,
    isLive: async (grantId) => (await find(grantId)) !== null,
    ownerOf: async (grantId) => {
      const row = await rowOf(grantId);
      if (row === null) return null;
      const { userId, tenant, clientId } = asConnection(grantId, row);
      return { userId, tenant, clientId };
    },
    revoke: (grantId) =>
      rows.transact(async (tx) => {
        const at = ref(oauthGrants, grantId);
        const [row] = await tx.get(at);
        if (row !== null && row.revokedAt === null) tx.put(at, { ...row, revokedAt: now() });
      }),
    listFor: async (userId) => {
      const listed = await rows.list(oauthGrants, { equals: { userId }, limit: 100 });
      return listed.flatMap(({ id, row }) => live(id, row, now()) ?? []);
    },
  };
}

type GrantRow = Parameters<typeof asConnection>[1];

function live(grantId: string, row: GrantRow & { revokedAt: number | null }, now: number): Connection | null {
  return row.revokedAt === null && row.expiresAt > now ? asConnection(grantId, row) : null;
}

function asConnection(
  grantId: string,
  row: {
    userId: string;
    tenant: string;
    clientId: string;
    scope: string;
    authTime: number;
    amr: unknown;
    createdAt: number;
    expiresAt: number;
  },
): Connection {
  return {
    grantId,
    userId: row.userId as UserId,
    tenant: row.tenant as TenantId,
    clientId: row.clientId,
    scope: row.scope,
    authTime: row.authTime,
    amr: Array.isArray(row.amr) ? row.amr.map(String) : [],
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
  };
}
