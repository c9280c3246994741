import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Browser, createBrowser, fieldOf } from '../../src/dev/user-agent/browser.ts';
import type { OAuthEvent } from '../../src/oauth/events.ts';
import { identityProvider } from '../../src/oauth/federation.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { authorizationRequest, page, redeem, register } from './client.ts';
import { fakeSignIn } from './doubles.ts';
import { type IdentityStub, startIdentityStub } from './identity-stub.ts';
import { type RunningServer, startServer } from './server.ts';

const events: OAuthEvent[] = [];
let idp: IdentityStub;
/** Firebase's Identity Toolkit: takes an identity and gives an ID token, which here is a name. */
let toolkit: Server;
let answered: { body: Record<string, unknown>; path: string }[] = [];
let reply: Record<string, unknown> = {};
let server: RunningServer;
let clientId: string;

beforeAll(async () => {
  idp = await startIdentityStub({ sub: 'g-1', email: 'john@example.com', email_verified: true });
  toolkit = createServer((req, res) => {
    void text(req).then((body) => {
      answered.push({ body: JSON.parse(body) as Record<string, unknown>, path: req.url ?? '' });
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
    });
  });
  await new Promise<void>((resolve) => toolkit.listen(0, '127.0.0.1', resolve));
  const authEmulatorUrl = `http://127.0.0.1:${(toolkit.address() as AddressInfo).port}`;
  server = await startServer({
    store: createMemoryStore(),
    signIn: fakeSignIn(['john']),
    overrides: {
      identityProviders: [idp.provider],
      pages: { script: '/a.js', style: '/a.css', name: 'Chartseal', apiKey: 'demo', authEmulatorUrl },
      onEvent: async (event) => void events.push(event),
    },
  });
  clientId = String((await register(server)).body['client_id']);
});
afterAll(async () => {
  await server.close();
  toolkit.close();
  idp.close();
});
beforeEach(() => {
  events.length = 0;
  answered = [];
  reply = { idToken: 'john' };
  idp.change = {};
});

/** Presses "Continue with Google". @returns where the browser is sent. */
async function press(browser: Browser) {
  const request = authorizationRequest(server, clientId);
  const signIn = page(await browser.open(request.url));
  const there = await browser.submit(signIn, `${signIn.url.pathname}/with-google`, {
    csrf: fieldOf(signIn, 'csrf'),
  });
  if (!(there instanceof URL)) throw new Error(`A page: HTTP ${there.status}`);
  return { request, signIn, there };
}
/** What the provider's redirect brings back. */
const answerOf = async (there: URL): Promise<URL> => {
  const response = await fetch(there, { redirect: 'manual' });
  return new URL(response.headers.get('location') ?? '');
};

describe('sign-in by an account elsewhere', () => {
  test('goes by redirects alone, and ends as any other sign-in', async () => {
    const browser = createBrowser(server.issuer);
    const { request, signIn, there } = await press(browser);
    expect(signIn.html).toContain('Continue with Google');
    expect(signIn.headers.get('content-security-policy')).toContain(
      `form-action 'self' https://chatgpt.com ${there.origin}`,
    );
    expect(signIn.headers.get('content-security-policy')).toContain("script-src 'self';");
    expect(Object.fromEntries(there.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: 'stub-client',
      redirect_uri: `${server.issuer}/oauth/federated`,
      scope: 'openid email',
      code_challenge_method: 'S256',
    });
    const consent = page(await browser.open(await answerOf(there)));
    expect(consent.html).toContain('Connect ChatGPT?');
    expect(answered[0]?.path).toBe('/identitytoolkit.googleapis.com/v1/accounts:signInWithIdp?key=demo');
    expect(new URLSearchParams(String(answered[0]?.body['postBody'])).get('providerId')).toBe('google.com');
    expect(events).toMatchObject([{ kind: 'signed-in', userId: 'uid-john' }]);
    const fields = { csrf: fieldOf(consent, 'csrf'), decision: 'allow' };
    const end = await browser.submit(consent, `${consent.url.pathname}/consent`, fields);
    const code = (end as URL).searchParams.get('code') ?? '';
    expect(decodeJwt((await redeem(server, request, code)).body.access_token ?? '').sub).toBe('uid-john');
  });

  interface Refusal {
    readonly change?: IdentityStub['change'];
    readonly reply?: Record<string, unknown>;
    readonly code: string;
  }
  const refusals: Readonly<Record<string, Refusal>> = {
    'says no': { change: { error: 'access_denied' }, code: 'SIGN_IN_PROVIDER' },
    'answers for another request': { change: { claims: { nonce: 'another' } }, code: 'SIGN_IN_PROVIDER' },
    'refuses the code': { change: { status: 400 }, code: 'SIGN_IN_PROVIDER' },
    'is down': { change: { status: 503 }, code: 'SIGN_IN_UNAVAILABLE' },
    'is not believed by Firebase': { reply: { needConfirmation: true }, code: 'SIGN_IN_PROVIDER' },
    'signs in somebody with a second factor': {
      reply: { mfaPendingCredential: 'x' },
      code: 'SIGN_IN_SECOND_FACTOR',
    },
    'signs in somebody who belongs nowhere': { reply: { idToken: 'nobody' }, code: 'SIGN_IN_TOKEN' },
  };
  test.each(Object.keys(refusals))('shows the sign-in page again when it %s', async (name) => {
    const { change = {}, reply: answer = reply, code } = refusals[name] ?? { code: '' };
    idp.change = change;
    reply = answer;
    const browser = createBrowser(server.issuer);
    const { there } = await press(browser);
    const shown = page(await browser.open(await answerOf(there)));
    expect(shown.status).toBe(400);
    expect(shown.html).toContain('<h1>Sign in</h1>');
    expect(events).toEqual([{ kind: 'sign-in-refused', clientId, code }]);
  });

  test('of an attacker cannot be put into somebody else’s browser', async () => {
    const attacker = await press(createBrowser(server.issuer));
    const stolen = await answerOf(attacker.there);
    const victim = createBrowser(server.issuer);
    const { there } = await press(victim);
    expect(page(await victim.open(stolen)).html).toContain('This page has expired');
    // With the victim's own state the attacker's code fails at the provider: its verifier is another.
    const mixed = await answerOf(there);
    mixed.searchParams.set('code', stolen.searchParams.get('code') ?? '');
    expect(page(await victim.open(mixed)).status).toBe(400);
    expect(events.some(({ kind }) => kind === 'signed-in')).toBe(false);
  });

  test.each(['', 'google.x.y', 'apple.x.y', '__proto__.x.y', 'google'])(
    'with a made-up state (%s) goes nowhere',
    async (state) => {
      const url = new URL(`${server.issuer}/oauth/federated?${new URLSearchParams({ state, code: 'c' })}`);
      const shown = page(await createBrowser(server.issuer).open(url));
      expect(shown.status).toBe(400);
      expect(shown.url.pathname).toBe('/oauth/federated');
    },
  );

  test('by a provider that is not offered is refused', async () => {
    const browser = createBrowser(server.issuer);
    const signIn = page(await browser.open(authorizationRequest(server, clientId).url));
    const fields = { csrf: fieldOf(signIn, 'csrf') };
    const shown = page(await browser.submit(signIn, `${signIn.url.pathname}/with-apple`, fields));
    expect(shown.html).toContain('This page has expired');
  });

  test('of Google and Apple is known by their own addresses, over https', () => {
    const settings = { clientId: 'c', clientSecret: 's' };
    for (const id of ['google', 'apple'] as const) {
      const { authorizeUrl, tokenUrl, firebaseId } = identityProvider({ id, ...settings });
      expect([authorizeUrl, tokenUrl].every((url) => url.startsWith('https://'))).toBe(true);
      expect(firebaseId).toBe(`${id}.com`);
    }
  });
});
