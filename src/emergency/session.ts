import { createHmac } from 'node:crypto';
import type { PageSession } from '../oauth/page-session.ts';

/** The name of its entry in the cookie jar. A sign-in opens one chart at most, or serves one reviewer. */
export const SESSION_COOKIE = 'emergency';

/** The one record that this sign-in may make: a form that is sent again names it again. */
export function recordOf(key: string, { id }: PageSession): string {
  const mac = createHmac('sha256', key).update(`chartseal/emergency-record/1\0${id}`).digest('base64url');
  return `eg_${mac.slice(0, 22)}`;
}
