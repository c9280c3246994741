import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBrowser } from '../../../src/dev/user-agent/browser.ts';
import { authorizationRequest, REDIRECT, register } from '../../oauth/client.ts';
import { type Attacked, expectRefusedPage, openSignIn, startAttacked } from './house.ts';

let at: Attacked;
beforeAll(async () => {
  at = await startAttacked();
});
afterAll(() => at.close());

const TRICKS: readonly (readonly [name: string, uri: string])[] = [
  ['another host', 'https://evil.example/connector/oauth/abc123'],
  ['a look-alike host', 'https://chatgpt.com.evil.example/connector/oauth/abc123'],
  ['user info', 'https://chatgpt.com@evil.example/connector/oauth/abc123'],
  ['a backslash', 'https://chatgpt.com\\@evil.example/connector/oauth/abc123'],
  ['an encoded slash', 'https://chatgpt.com/connector/oauth/abc123%2f..%2fevil'],
  ['dot segments', `${REDIRECT}/../../evil`],
  ['encoded dot segments', `${REDIRECT}/%2e%2e/evil`],
  ['a query', `${REDIRECT}?next=https://evil.example`],
  ['a fragment', `${REDIRECT}#evil`],
  ['a port', 'https://chatgpt.com:8443/connector/oauth/abc123'],
  ['plain http', 'http://chatgpt.com/connector/oauth/abc123'],
  ['another case', 'https://chatgpt.com/Connector/oauth/abc123'],
  ['a trailing dot', 'https://chatgpt.com./connector/oauth/abc123'],
  ['a tab', 'https://chatgpt.com/connector/oauth/abc\t123'],
  ['a script', 'javascript:alert(1)//chatgpt.com'],
  ['data', 'data:text/html,evil'],
  ['an intranet address', 'http://192.168.0.1/connector/oauth/abc123'],
];

describe('a redirect with', () => {
  test.each(TRICKS)('%s sends no browser anywhere', async (_name, redirect_uri) => {
    const { url } = authorizationRequest(at, at.clientId, { redirect_uri });
    const end = await at.unharmed([], () => createBrowser(at.issuer).open(url));
    if (end instanceof URL) throw new Error(`Sent to ${end.origin}`);
    await expectRefusedPage(end, 400);
  });

  test.each(TRICKS)('%s cannot be registered', async (_name, redirect) => {
    const answer = await at.unharmed([], () => register(at, { redirect_uris: [redirect] }));
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({ error: 'invalid_redirect_uri', error_description: expect.any(String) });
  });

  test('none at all goes to the one that is registered, and never elsewhere', async () => {
    const { url } = authorizationRequest(at, at.clientId, { redirect_uri: undefined, prompt: 'none' });
    const end = await createBrowser(at.issuer).open(url);
    if (end instanceof URL) expect(end.origin + end.pathname).toBe(REDIRECT);
    else expect(end.status).toBe(400);
  });

  test('two values is refused', async () => {
    const { url } = authorizationRequest(at, at.clientId);
    url.searchParams.append('redirect_uri', 'https://evil.example/');
    const end = await at.unharmed([], () => createBrowser(at.issuer).open(url));
    if (!(end instanceof URL)) throw new Error('A page');
    expect(end.origin + end.pathname).toBe(REDIRECT);
    expect(end.searchParams.get('error')).toBe('invalid_request');
  });
});

describe('no address of ours redirects where a stranger says', () => {
  test.each([
    '/oauth/end-session?post_logout_redirect_uri=https://evil.example',
    '/oauth/interaction/x?returnTo=https://evil.example',
    '/oauth//evil.example/',
    '/oauth/%2f%2fevil.example',
    '//evil.example/oauth/authorize',
    '/?next=https://evil.example',
    '/mcp?redirect=https://evil.example',
  ])('%s', async (path) => {
    const response = await at.unharmed([], () => fetch(at.issuer + path, { redirect: 'manual' }));
    expect(response.status).toBeGreaterThanOrEqual(200);
    const location = response.headers.get('location');
    if (location !== null) expect(new URL(location, at.issuer).origin).toBe(at.issuer);
    expect(await response.text()).not.toContain('evil.example');
  });

  test('a forged host changes neither links nor metadata', async () => {
    const headers = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    };
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/oauth-protected-resource']) {
      expect(await (await fetch(at.issuer + path, { headers })).text()).not.toContain('evil.example');
    }
    const { url } = authorizationRequest(at, at.clientId);
    const response = await fetch(url, { headers, redirect: 'manual' });
    expect(new URL(response.headers.get('location') ?? '', at.issuer).origin).toBe(at.issuer);
  });

  test('the sign-in form posts to ourselves', async () => {
    const { shown } = await openSignIn(at, { state: '"><form action="https://evil.example">' });
    expect(shown.html).not.toContain('evil.example');
    for (const [, action = ''] of shown.html.matchAll(/action="([^"]*)"/g))
      expect(action).toMatch(/^\/oauth\/interaction\//);
  });
});
