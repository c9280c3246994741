import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizationRequest } from '../../oauth/client.ts';
import { type Attacked, openConsent, openSignIn, startAttacked } from './house.ts';

let at: Attacked;
beforeAll(async () => {
  at = await startAttacked();
});
afterAll(() => at.close());

describe('no page can be framed, scripted or sniffed', () => {
  const pages: Readonly<Record<string, () => Promise<Headers>>> = {
    'sign-in': async () => (await openSignIn(at)).shown.headers,
    consent: async () => (await openConsent(at)).consent.headers,
    'an expired page': async () => (await fetch(`${at.issuer}/oauth/interaction/x`)).headers,
    'a refused request': async () => (await fetch(`${at.issuer}/oauth/authorize?client_id=nobody`)).headers,
  };
  test.each(Object.keys(pages))('%s', async (name) => {
    const headers = (await pages[name]?.()) ?? new Headers();
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("base-uri 'none'");
    expect(policy).not.toMatch(/unsafe|\*|script-src[^;]*http/);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('cache-control')).toBe('private, no-store');
  });

  test.each(['/mcp', '/oauth/jwks', '/.well-known/oauth-authorization-server', '/nothing'])(
    '%s',
    async (path) => {
      const { headers } = await fetch(at.issuer + path);
      expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    },
  );

  test('the one cookie is HttpOnly, lax and for this host alone', async () => {
    const { shown } = await openSignIn(at);
    const response = await fetch(shown.url, { redirect: 'manual' });
    expect(response.headers.getSetCookie()).toEqual([]);
    const start = await fetch(authorizationRequest(at, at.clientId).url, { redirect: 'manual' });
    const [cookie = '', ...more] = start.headers.getSetCookie();
    expect(more).toEqual([]);
    expect(cookie).toMatch(/^__session=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/);
  });
});
