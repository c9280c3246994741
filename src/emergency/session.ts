import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { parseTenantId, parseUserId, type TenantId, type UserId } from '../kernel/ids.ts';

/** A fresh sign-in to the emergency pages. It opens one chart at most, or serves one reviewer for a few minutes. */
export interface EmergencySession {
  readonly id: string;
  readonly tenant: TenantId;
  readonly user: UserId;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** How long a sign-in serves. */
export const SESSION_MS = 10 * 60_000;
/** The name of its entry in the cookie jar, which is signed: the browser can read it and not change it. */
export const SESSION_COOKIE = 'emergency';

const shape = z.strictObject({ i: z.string(), t: z.string(), u: z.string(), e: z.number() });

/** A session that begins at `now`. */
export function startSession(who: { tenant: TenantId; user: UserId }, now: number): EmergencySession {
  return { ...who, id: randomBytes(16).toString('base64url'), expiresAt: now + SESSION_MS };
}

/** The session as its cookie's value. */
export function sessionCookie({ id, tenant, user, expiresAt }: EmergencySession): string {
  return Buffer.from(JSON.stringify({ i: id, t: tenant, u: user, e: expiresAt })).toString('base64url');
}

/** Null unless the cookie's value is a session that lasts. */
export function sessionFrom(value: string | undefined, now: number): EmergencySession | null {
  if (value === undefined) return null;
  const parsed = shape.safeParse(JSON.parse(Buffer.from(value, 'base64url').toString('utf8')));
  if (!parsed.success || parsed.data.e <= now) return null;
  const { i, t, u, e } = parsed.data;
  return { id: i, tenant: parseTenantId(t), user: parseUserId(u), expiresAt: e };
}

/** The one record that this sign-in may make: a form that is sent again names it again. */
export function recordOf(key: string, { id }: EmergencySession): string {
  const mac = createHmac('sha256', key).update(`chartseal/emergency-record/1\0${id}`).digest('base64url');
  return `eg_${mac.slice(0, 22)}`;
}
