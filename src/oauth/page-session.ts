import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { parseTenantId, parseUserId, type TenantId, type UserId } from '../kernel/ids.ts';

/** A fresh sign-in to a page of ours, for a few minutes. The cookie jar is signed: browsers read it and cannot change it. */
export interface PageSession {
  readonly id: string;
  readonly tenant: TenantId;
  readonly user: UserId;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** How long a sign-in serves. */
export const SESSION_MS = 10 * 60_000;

const shape = z.strictObject({ i: z.string(), t: z.string(), u: z.string(), e: z.number() });

/** A session that begins at `now`. */
export function startSession(who: { tenant: TenantId; user: UserId }, now: number): PageSession {
  const { tenant, user } = who;
  return { tenant, user, id: randomBytes(16).toString('base64url'), expiresAt: now + SESSION_MS };
}

/** The session as its cookie's value. */
export function sessionCookie({ id, tenant, user, expiresAt }: PageSession): string {
  return Buffer.from(JSON.stringify({ i: id, t: tenant, u: user, e: expiresAt })).toString('base64url');
}

/** Null unless the cookie's value is a session that lasts. */
export function sessionFrom(value: string | undefined, now: number): PageSession | null {
  if (value === undefined) return null;
  const parsed = shape.safeParse(JSON.parse(Buffer.from(value, 'base64url').toString('utf8')));
  if (!parsed.success || parsed.data.e <= now) return null;
  const { i, t, u, e } = parsed.data;
  return { id: i, tenant: parseTenantId(t), user: parseUserId(u), expiresAt: e };
}
