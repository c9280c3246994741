import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { auditEvents } from '../../src/audit/append.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { setUpClinic } from '../../src/clinic/tenants.ts';
import { ABSOLUTE_MS, IDLE_MS } from '../../src/console/sessions.ts';
import { DEMO_CLINICS } from '../../src/dev/clinics.ts';
import { SYSTEM_TENANT, type TenantId, type UserId } from '../../src/kernel/ids.ts';
import { LIMITS } from '../../src/oauth/rate-limits.ts';
import { putMember } from '../doubles/members.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { serveConsole } from './server.ts';

const tenant = 'riverside' as TenantId;
const ROLES = ['patient', 'proxy', 'clinician', 'frontdesk', 'auditor', 'admin'] as const;

describe('sign-in to the auditor console', () => {
  let store: ReturnType<typeof createMemoryStore>;
  let at: Awaited<ReturnType<typeof serveConsole>>;
  let skew = 0;
  beforeEach(async () => {
    skew = 0;
    store = createMemoryStore();
    const [demo] = DEMO_CLINICS;
    if (demo === undefined) throw new Error('no clinic');
    const { name, phone, zone } = demo;
    await setUpClinic(store, tenant, { ...demo, clinic: { name, phone, zone, keyId: 'k', state: 'active' } });
    for (const role of ROLES)
      await putMember(store, tenant, { user: `usr_${role}` as UserId, role, patient: null });
    await putMember(store, tenant, { user: 'usr_nofactor' as UserId, role: 'auditor', patient: null });
    at = await serveConsole({ store, clock: () => Date.now() + skew });
  });
  afterEach(() => at.close());
  const sessionStatus = async (cookie: string) => (await at.get('/console/api/session', cookie)).status;
  const lastEvent = async (of: TenantId): Promise<AuditEvent> => {
    const rows = await store.tenant(of).list(auditEvents, { limit: 1000 });
    const events = rows.map(({ row }) => JSON.parse(Buffer.from(row.leaf).toString('utf8')) as AuditEvent);
    const last = events.sort((a, b) => a.recorded.localeCompare(b.recorded)).at(-1);
    if (last === undefined) throw new Error('no event');
    return last;
  };

  test.each(ROLES)('%s: only an auditor comes in, and the answer is an event', async (role) => {
    const cookie = await at.signIn(`usr_${role}`);
    expect(cookie === '').toBe(role !== 'auditor');
    expect(await sessionStatus(cookie)).toBe(role === 'auditor' ? 200 : 401);
    const refusal = role === 'auditor' ? {} : { reason: 'ROLE' };
    expect(await lastEvent(tenant)).toMatchObject({
      operation: 'consoleSignIn',
      outcome: role === 'auditor' ? '0' : '4',
      actor: { user: `usr_${role}`, role, client: 'console' },
      ...refusal,
    });
  });

  test('a password alone does not open it', async () => {
    const page = await at.post('/console/sign-in', 'idToken=usr_nofactor');
    expect([page.status, await page.text()]).toEqual([403, expect.stringContaining('needs a second factor')]);
    expect(await lastEvent(tenant)).toMatchObject({ reason: 'SIGN_IN_SECOND_FACTOR', outcome: '4' });
  });

  test('a synthetic account is let in without one when the configuration names it', async () => {
    await at.close();
    at = await serveConsole({ store, overrides: { withoutSecondFactor: ['usr_nofactor'] } });
    expect(await sessionStatus(await at.signIn('usr_nofactor'))).toBe(200);
  });

  test('refusals from one address end in 429, also for who would have come in, and fill no log', async () => {
    const { max, span } = LIMITS.signIn;
    const statuses: number[] = [];
    for (let turn = 0; turn < max + 3; turn += 1)
      statuses.push((await at.post('/console/sign-in', 'idToken=forged')).status);
    expect(statuses).toEqual([...Array<number>(max).fill(400), 429, 429, 429]);
    const system = await store.tenant(SYSTEM_TENANT).list(auditEvents, { limit: 1000 });
    expect(system).toHaveLength(max + 1);
    expect(await at.signIn('usr_auditor')).toBe('');
    skew = span;
    expect(await sessionStatus(await at.signIn('usr_auditor'))).toBe(200);
  });

  test('a session ends after a quarter of an hour without a call', async () => {
    const cookie = await at.signIn('usr_auditor');
    skew += IDLE_MS - 2_000;
    expect(await sessionStatus(cookie)).toBe(200);
    skew += IDLE_MS;
    expect(await sessionStatus(cookie)).toBe(401);
  });

  test('a session ends after eight hours, however busy', async () => {
    const cookie = await at.signIn('usr_auditor');
    for (; skew < ABSOLUTE_MS - 60_000; skew += IDLE_MS / 2) expect(await sessionStatus(cookie)).toBe(200);
    skew = ABSOLUTE_MS;
    expect(await sessionStatus(cookie)).toBe(401);
  });

  test('a session ends with the role', async () => {
    const cookie = await at.signIn('usr_auditor');
    await putMember(store, tenant, { user: 'usr_auditor' as UserId, role: 'clinician', patient: null });
    expect(await sessionStatus(cookie)).toBe(401);
  });

  test('a sign-in that another site sends is refused before anything is looked at', async () => {
    const answer = await at.post('/console/sign-in', 'idToken=usr_auditor', {
      origin: 'https://evil.example',
    });
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([403, null]);
  });
});
