import { createHmac } from 'node:crypto';
import type { PageSession } from '../oauth/page-session.ts';

/** The one record that this sign-in may make: a form that is sent again names it again. */
export function recordOf(key: string, { id }: PageSession): string {
  const mac = createHmac('sha256', key).update(`chartseal/emergency-record/1\0${id}`).digest('base64url');
  return `eg_${mac.slice(0, 22)}`;
}
