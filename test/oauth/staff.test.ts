import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createBrowser, fieldOf } from '../../src/dev/user-agent/browser.ts';
import { createAuthorizationServer } from '../../src/oauth/authorization-server.ts';
import { auditEntryOf, type OAuthEvent } from '../../src/oauth/events.ts';
import { LIMITS } from '../../src/oauth/rate-limits.ts';
import type { SignedIn } from '../../src/oauth/sign-in.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { authorizationRequest, connect, page, redeem, refresh, register } from './client.ts';
import { clinicOf, fakeSignIn } from './doubles.ts';
import { newSigningKey, type RunningServer, SCOPES, startServer } from './server.ts';

const people = fakeSignIn(['john', 'ann', 'carol', 'stray']);
const events: OAuthEvent[] = [];
let amr: string[];
let server: RunningServer;
let clientId: string;

beforeAll(async () => {
  const { verify } = people;
  vi.spyOn(people, 'verify').mockImplementation(
    async (token): Promise<SignedIn> => ({ ...(await verify(token)), amr }),
  );
  server = await startServer({
    store: createMemoryStore(),
    signIn: people,
    overrides: {
      people: clinicOf({ 'uid-ann': 'clinician', 'uid-carol': 'admin', 'uid-stray': null }),
      scopesFor: (role) => (role === 'clinician' ? ['patient/Patient.rs'] : Object.keys(SCOPES)),
      withoutSecondFactor: ['uid-carol'],
      onEvent: async (event) => void events.push(event),
    },
  });
  clientId = String((await register(server)).body['client_id']);
});
afterAll(async () => {
  expect(server.faults).toEqual([]);
  await server.close();
  vi.restoreAllMocks();
});
beforeEach(() => {
  amr = ['pwd'];
  events.length = 0;
});

async function signIn(idToken: string, changes: Record<string, string> = {}) {
  const request = authorizationRequest(server, clientId, changes);
  const browser = createBrowser(server.issuer);
  const at = page(await browser.open(request.url));
  const fields = { csrf: fieldOf(at, 'csrf'), idToken };
  const send = () => browser.submit(at, `${at.url.pathname}/sign-in`, fields);
  return { request, browser, send, shown: page(await send()) };
}

describe('who signs in', () => {
  test('as staff by password alone is told to set up a second factor', async () => {
    const { shown } = await signIn('ann');
    expect(shown.status).toBe(400);
    expect(shown.html).toContain('Staff accounts need a second factor.');
    expect(events).toEqual([{ kind: 'sign-in-refused', clientId, code: 'SIGN_IN_SECOND_FACTOR' }]);
  });

  test('as staff with two factors goes on, and is told for whom the app acts', async () => {
    amr = ['pwd', 'otp', 'mfa'];
    const { shown } = await signIn('ann');
    expect(shown.html).toContain('<strong>you as a clinician of Riverside Family Clinic</strong>');
    expect(shown.html).toContain('See your name and contact details');
    expect(shown.html).not.toContain('See, book and change your visits');
  });

  test('as synthetic staff of the local stack goes on by password', async () => {
    expect((await signIn('carol')).shown.html).toContain('you as an administrator of');
  });

  test('as a patient goes on by password', async () => {
    expect((await signIn('john')).shown.html).toContain('you, with your own health record at Riverside');
  });

  test('and belongs to no clinic is refused, like an account without one', async () => {
    const { shown } = await signIn('stray');
    expect(shown.status).toBe(400);
    expect(shown.html).toContain('not set up for a clinic yet');
  });

  test('too often wrong in one interaction is locked out of it, with one event that says so', async () => {
    const { send } = await signIn('nobody');
    for (let more = 1; more < LIMITS.attempt.max; more += 1) expect(page(await send()).status).toBe(400);
    const locked = page(await send());
    expect(locked.status).toBe(429);
    expect(locked.html).toContain('Too many attempts.');
    expect(events.filter(({ kind }) => kind === 'sign-in-locked')).toEqual([
      { kind: 'sign-in-locked', clientId },
    ]);
    expect(events.filter(({ kind }) => kind === 'sign-in-refused')).toHaveLength(LIMITS.attempt.max);
  });
});

describe('consent', () => {
  test('gives the scopes that suit the role and no others, also after a refresh', async () => {
    amr = ['pwd', 'mfa'];
    const request = authorizationRequest(server, clientId);
    const first = await redeem(server, request, await connect(server, request, 'ann'));
    expect(decodeJwt(first.body.access_token ?? '')['scope']).toBe('patient/Patient.rs');
    const second = await refresh(server, clientId, first.body.refresh_token ?? '');
    expect(decodeJwt(second.body.access_token ?? '')['scope']).toBe('patient/Patient.rs');
  });

  test('of nothing that suits the role cannot be given', async () => {
    amr = ['pwd', 'mfa'];
    const { shown, browser } = await signIn('ann', { scope: 'patient/Appointment.crus' });
    expect(shown.html).toContain('nothing that it asks for is open to this account');
    expect(shown.html).not.toContain('value="allow"');
    const fields = { csrf: fieldOf(shown, 'csrf'), decision: 'allow' };
    const end = await browser.submit(shown, `${shown.url.pathname}/consent`, fields);
    expect((end as URL).searchParams.get('error')).toBe('access_denied');
  });
});

test('production exempts nobody from the second factor', async () => {
  const options = {
    issuer: 'https://clinic.example',
    resource: 'https://clinic.example/mcp',
    scopes: SCOPES,
    store: createMemoryStore(),
    signingKeys: [await newSigningKey()],
    cookieKeys: ['a-cookie-key-of-at-least-32-characters'],
    signIn: people,
    people: clinicOf(),
    pages: { script: '/a.js', style: '/a.css', name: 'Chartseal', apiKey: 'demo' },
  };
  expect(() => createAuthorizationServer({ ...options, withoutSecondFactor: ['uid-carol'] })).toThrow(
    expect.objectContaining({ code: 'SETUP' }),
  );
});

test('what the audit log says of each event is pinned', () => {
  const known = { clientId: 'c', userId: 'u' as never, tenant: 'riverside' as never };
  const all: OAuthEvent[] = [
    { kind: 'signed-in', ...known },
    { kind: 'sign-in-refused', clientId: 'c', code: 'SIGN_IN_TOKEN' },
    { kind: 'sign-in-cancelled', clientId: 'c' },
    { kind: 'sign-in-locked', clientId: 'c' },
    { kind: 'client-registered', clientId: 'c' },
    { kind: 'consent-given', ...known, scopes: ['s'], grantId: 'g' },
    { kind: 'consent-denied', ...known, scopes: ['s'] },
    { kind: 'token-revoked', ...known },
    { kind: 'code-reused', ...known },
    { kind: 'refresh-reused', ...known },
    { kind: 'profile-read', ...known },
  ];
  const lines = all
    .map(auditEntryOf)
    .map(({ tenant, entry }) =>
      [
        tenant,
        entry.action,
        entry.operation,
        entry.outcome,
        entry.reason ?? '-',
        entry.entity?.resource ?? '-',
      ].join(' '),
    );
  expect(lines).toEqual([
    'riverside E signed-in 0 - -',
    'system E sign-in-refused 4 SIGN_IN_TOKEN -',
    'system E sign-in-cancelled 4 PERSON_SAID_NO -',
    'system E sign-in-locked 4 TOO_MANY_ATTEMPTS -',
    'system E client-registered 0 - -',
    'riverside E consent-given 0 - Consent',
    'riverside E consent-denied 4 PERSON_SAID_NO Consent',
    'riverside E token-revoked 0 - -',
    'riverside E code-reused 4 CODE_REUSED -',
    'riverside E refresh-reused 4 REFRESH_REUSED -',
    'riverside R profile-read 0 - Person',
  ]);
});
