import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createBrowser, fieldOf } from '../../src/dev/user-agent/browser.ts';
import type { OAuthEvent } from '../../src/oauth/events.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import {
  authorizationRequest,
  connect,
  page,
  REDIRECT,
  type Request,
  redeem,
  register,
  type TokenAnswer,
} from './client.ts';
import { fakeSignIn } from './doubles.ts';
import { type RunningServer, startServer } from './server.ts';

const store = createMemoryStore();
const people = fakeSignIn(['john', 'ann']);
const events: OAuthEvent[] = [];
let server: RunningServer;
let clientId: string;

beforeAll(async () => {
  const onEvent = async (event: OAuthEvent): Promise<void> => void events.push(event);
  server = await startServer({ store, signIn: people, overrides: { onEvent } });
  clientId = String((await register(server)).body['client_id']);
});
afterAll(async () => {
  expect(server.faults).toEqual([]);
  await server.close();
});
afterEach(() => vi.useRealTimers());

const claimsOf = async (answer: TokenAnswer) =>
  (await jwtVerify(answer.body.access_token ?? '', createLocalJWKSet(server.server.jwks()))).payload;

describe('an authorization request', () => {
  const errorAt = async (request: Request): Promise<URLSearchParams> => {
    const end = await createBrowser(server.issuer).open(request.url);
    if (!(end instanceof URL)) throw new Error(`Expected a redirect, got HTTP ${end.status}`);
    expect(`${end.origin}${end.pathname}`).toBe(REDIRECT);
    return end.hash === '' ? end.searchParams : new URLSearchParams(end.hash.slice(1));
  };

  test.each([
    ['with plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['without PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['for another resource', { resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
    ['for the resource with a slash', { resource: 'SLASH' }, 'invalid_target'],
    ['for a token in the front channel', { response_type: 'token' }, 'unsupported_response_type'],
    ['that may show no page', { prompt: 'none' }, 'login_required'],
  ])('%s is refused at the client, with iss', async (_name, changes, error) => {
    const { resource } = changes as { resource?: string };
    const actual = resource === 'SLASH' ? { resource: `${server.resource}/` } : changes;
    const params = await errorAt(authorizationRequest(server, clientId, actual));
    expect(Object.fromEntries(params)).toMatchObject({ error, iss: server.issuer, state: 'opaque-state' });
  });

  test.each([
    ['another host', 'https://evil.example/connector/oauth/abc123'],
    ['user info', 'https://chatgpt.com@evil.example/connector/oauth/abc123'],
    ['a longer path', `${REDIRECT}/../../elsewhere`],
    ['a query', `${REDIRECT}?next=evil`],
    ['another case', 'https://chatgpt.com/Connector/oauth/abc123'],
    ['a port', 'https://chatgpt.com:8443/connector/oauth/abc123'],
    ['plain http', 'http://chatgpt.com/connector/oauth/abc123'],
  ])('to a redirect with %s sends nobody anywhere', async (_name, redirect) => {
    const end = await createBrowser(server.issuer).open(
      authorizationRequest(server, clientId, { redirect_uri: redirect }).url,
    );
    expect(page(end).status).toBe(400);
  });

  test('of an unknown client shows a page and repeats nothing of it', async () => {
    const request = authorizationRequest(server, 'nobody<script>', { state: 'secret-state' });
    const { html, status } = page(await createBrowser(server.issuer).open(request.url));
    expect(status).toBe(400);
    expect(html).not.toContain('nobody');
    expect(html).not.toContain('secret-state');
  });

  test('leaves neither the hint of an address nor a secret in the store', async () => {
    const request = authorizationRequest(server, clientId, { login_hint: 'john@example.com' });
    const code = await connect(server, request);
    const { body } = await redeem(server, request, code);
    const stored = JSON.stringify([...store.rows.values()].map((rows) => [...rows]));
    expect(stored.length).toBeGreaterThan(1_000);
    for (const secret of ['john@example.com', code, body.refresh_token ?? '', body.access_token ?? '']) {
      expect(stored).not.toContain(secret);
    }
  });
});

describe('the sign-in and consent pages', () => {
  const open = async (changes: Record<string, string | undefined> = {}) => {
    const browser = createBrowser(server.issuer);
    const signIn = page(await browser.open(authorizationRequest(server, clientId, changes).url));
    return { browser, signIn, csrf: fieldOf(signIn, 'csrf') };
  };

  test('are guarded by headers, and set one private cookie', async () => {
    const { browser, signIn } = await open();
    expect(browser.cookie).toMatch(/^__session=[\w-]+\.[\w-]+$/);
    expect(Object.fromEntries(signIn.headers)).toMatchObject({
      'cache-control': 'private, no-store',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src " +
        'https://identitytoolkit.googleapis.com https://securetoken.googleapis.com; ' +
        "form-action 'self' https://chatgpt.com; frame-ancestors 'none'; base-uri 'none'",
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
  });

  test('say in words what is asked and where the answer goes', async () => {
    const { browser, signIn, csrf } = await open({ scope: 'patient/Appointment.crus' });
    const consent = page(
      await browser.submit(signIn, `${signIn.url.pathname}/sign-in`, { csrf, idToken: 'john' }),
    );
    expect(consent.html).toContain('Connect ChatGPT?');
    expect(consent.html).toContain('<li>See, book and change your visits</li>');
    expect(consent.html).toContain('<strong>chatgpt.com</strong>');
    expect(consent.html).not.toContain('See your name');
  });

  test('a refused consent goes back with access_denied, iss and state, and makes no grant', async () => {
    const { browser, signIn, csrf } = await open();
    const consent = page(
      await browser.submit(signIn, `${signIn.url.pathname}/sign-in`, { csrf, idToken: 'john' }),
    );
    events.length = 0;
    const end = await browser.submit(consent, `${consent.url.pathname}/consent`, {
      csrf: fieldOf(consent, 'csrf'),
      decision: 'deny',
    });
    expect(end).toBeInstanceOf(URL);
    expect(Object.fromEntries((end as URL).searchParams)).toMatchObject({
      error: 'access_denied',
      iss: server.issuer,
      state: 'opaque-state',
    });
    expect(events).toEqual([
      {
        kind: 'consent-denied',
        clientId,
        userId: 'uid-john',
        tenant: 'riverside',
        scopes: ['patient/Patient.rs', 'patient/Appointment.crus'],
      },
    ]);
  });

  test('a cancelled sign-in goes back with access_denied and iss', async () => {
    const { browser, signIn, csrf } = await open();
    const end = await browser.submit(signIn, `${signIn.url.pathname}/cancel`, { csrf });
    expect(Object.fromEntries((end as URL).searchParams)).toMatchObject({
      error: 'access_denied',
      iss: server.issuer,
    });
  });

  test('a refused sign-in shows the page again with a plain line, and is told to the audit log', async () => {
    const { browser, signIn, csrf } = await open();
    events.length = 0;
    const again = page(
      await browser.submit(signIn, `${signIn.url.pathname}/sign-in`, { csrf, idToken: 'nobody' }),
    );
    expect(again.status).toBe(400);
    expect(again.html).toContain('Sign-in did not work. Check your details and try again.');
    expect(events).toEqual([{ kind: 'sign-in-refused', clientId, code: 'SIGN_IN_TOKEN' }]);
  });

  test('someone who signed in before in this browser is not taken for the next person', async () => {
    const { browser, signIn, csrf } = await open();
    await browser.submit(signIn, `${signIn.url.pathname}/sign-in`, { csrf, idToken: 'john' });
    const others = fakeSignIn(['eve']);
    vi.spyOn(people, 'verify').mockImplementationOnce(others.verify);
    const request = authorizationRequest(server, clientId);
    const second = page(await browser.open(request.url));
    expect(second.html).toContain('<h1>Sign in</h1>');
    const consent = page(
      await browser.submit(second, `${second.url.pathname}/sign-in`, {
        csrf: fieldOf(second, 'csrf'),
        idToken: 'eve',
      }),
    );
    const end = await browser.submit(consent, `${consent.url.pathname}/consent`, {
      csrf: fieldOf(consent, 'csrf'),
      decision: 'allow',
    });
    const code = (end as URL).searchParams.get('code') ?? '';
    expect((await claimsOf(await redeem(server, request, code))).sub).toBe('uid-eve');
  });

  test('give nothing away when the audit log cannot be written', async () => {
    let isDeaf = false;
    const onEvent = async (): Promise<void> => {
      if (isDeaf) throw new Error('no audit');
    };
    const deaf = await startServer({ store, signIn: fakeSignIn(['john']), overrides: { onEvent } });
    const browser = createBrowser(deaf.issuer);
    const id = String((await register(deaf)).body['client_id']);
    isDeaf = true;
    expect(await register(deaf)).toMatchObject({ status: 500, body: { error: 'server_error' } });
    const signIn = page(await browser.open(authorizationRequest(deaf, id).url));
    const fields = { csrf: fieldOf(signIn, 'csrf'), idToken: 'john' };
    const answer = page(await browser.submit(signIn, `${signIn.url.pathname}/sign-in`, fields));
    expect(answer.status).toBe(503);
    expect(page(await browser.open(signIn.url)).html).toContain('<h1>Sign in</h1>');
    await deaf.close();
  });

  test('two tabs do not disturb each other', async () => {
    const browser = createBrowser(server.issuer);
    const first = page(await browser.open(authorizationRequest(server, clientId).url));
    await browser.open(authorizationRequest(server, clientId).url);
    const consent = page(
      await browser.submit(first, `${first.url.pathname}/sign-in`, {
        csrf: fieldOf(first, 'csrf'),
        idToken: 'john',
      }),
    );
    expect(consent.html).toContain('Connect ChatGPT?');
  });

  describe('refuse a form', () => {
    const post = async (headers: Record<string, string>, fields: Record<string, string>) => {
      const { browser, signIn } = await open();
      const response = await fetch(`${signIn.url.href}/sign-in`, {
        method: 'POST',
        headers: { ...headers, cookie: browser.cookie, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ ...fields, idToken: 'john' }).toString(),
        redirect: 'manual',
      });
      return response.status;
    };
    const ownToken = async (): Promise<string> => (await open()).csrf;

    test('without its token', async () => {
      expect(await post({ origin: server.issuer }, {})).toBe(403);
    });
    test('with the token of another interaction', async () => {
      expect(await post({ origin: server.issuer }, { csrf: await ownToken() })).toBe(403);
    });
    test('from another origin, though the token is right', async () => {
      const { browser, signIn, csrf } = await open();
      const response = await fetch(`${signIn.url.href}/sign-in`, {
        method: 'POST',
        headers: {
          origin: 'https://evil.example',
          cookie: browser.cookie,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({ csrf, idToken: 'john' }).toString(),
        redirect: 'manual',
      });
      expect(response.status).toBe(403);
    });
    test('from a browser that did not begin it', async () => {
      const { signIn, csrf } = await open();
      const stranger = createBrowser(server.issuer);
      const answer = page(
        await stranger.submit(signIn, `${signIn.url.pathname}/sign-in`, { csrf, idToken: 'john' }),
      );
      expect(answer.status).toBe(400);
      expect(answer.html).toContain('This page has expired');
    });
    test('after a quarter of an hour', async () => {
      const { browser, signIn, csrf } = await open();
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 15 * 60_000 + 1_000 });
      const answer = page(
        await browser.submit(signIn, `${signIn.url.pathname}/sign-in`, { csrf, idToken: 'john' }),
      );
      expect(answer.status).toBe(400);
      expect(answer.html).toContain('This page has expired');
    });
    test('of consent before anyone signed in', async () => {
      const { browser, signIn, csrf } = await open();
      const answer = page(
        await browser.submit(signIn, `${signIn.url.pathname}/consent`, { csrf, decision: 'allow' }),
      );
      expect(answer.status).toBe(400);
    });
  });
});
