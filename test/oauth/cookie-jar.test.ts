import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createCookieJar } from '../../src/oauth/cookie-jar.ts';

const KEY = 'the-first-cookie-key-of-32-characters';
const OLD_KEY = 'the-older-cookie-key-of-32-characters';
const open = createCookieJar({ keys: [KEY], secure: true });

/** What the browser holds after a response that set these cookies, having held `before`. */
function respond(setCookies: readonly string[], before?: string, jar = open): ServerResponse {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  jar(before, '/').attach(response);
  for (const line of setCookies) response.appendHeader('set-cookie', line);
  response.writeHead(200);
  return response;
}
const cookieOf = (response: ServerResponse): string =>
  String(response.getHeader('set-cookie')).split(';')[0] ?? '';
const hold = (setCookies: readonly string[], before?: string, jar = open): string =>
  cookieOf(respond(setCookies, before, jar));

afterEach(() => vi.useRealTimers());

describe('the cookie jar', () => {
  test('sends one cookie, signed, private and out of reach of scripts', () => {
    const response = respond(['_session=abc; path=/oauth; httponly']);
    expect(response.getHeader('set-cookie')).toMatch(
      /^__session=[\w-]+\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect(response.getHeader('cache-control')).toBe('private, no-store');
  });

  test('is not secure on plain http, where browsers would drop it', () => {
    const jar = createCookieJar({ keys: [KEY], secure: false });
    expect(respond(['a=1'], undefined, jar).getHeader('set-cookie')).not.toContain('Secure');
  });

  test('leaves a response without cookies as it is', () => {
    const response = respond([]);
    expect(response.getHeader('set-cookie')).toBeUndefined();
    expect(response.getHeader('cache-control')).toBeUndefined();
  });

  test('gives a request the cookies of its path only', () => {
    const cookie = hold(['a=1; path=/oauth/interaction/x', 'b=2; path=/oauth', 'c=3; path=/']);
    expect(open(cookie, '/oauth/interaction/x').header).toBe('a=1; b=2; c=3');
    expect(open(cookie, '/oauth/interaction/x/consent').header).toBe('a=1; b=2; c=3');
    expect(open(cookie, '/oauth/interaction/xy').header).toBe('b=2; c=3');
    expect(open(cookie, '/console').header).toBe('c=3');
  });

  test('keeps what another response set, replaces by name and path, and forgets on request', () => {
    const first = hold(['a=1; path=/x', 'a=2; path=/y']);
    const second = hold(['a=3; path=/x'], first);
    expect(open(second, '/x').header).toBe('a=3');
    expect(open(second, '/y').header).toBe('a=2');
    const third = hold(['a=; path=/x; expires=Thu, 01 Jan 1970 00:00:00 GMT'], second);
    expect(open(third, '/x').header).toBe('');
    expect(open(third, '/y').header).toBe('a=2');
  });

  test('drops an entry when its time is over', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
    const cookie = hold(['a=1; path=/; expires=Fri, 15 Jan 2027 08:01:00 GMT']);
    expect(open(cookie, '/').header).toBe('a=1');
    vi.setSystemTime(1_800_000_060_000);
    expect(open(cookie, '/').header).toBe('');
  });

  test('reads what an older key signed, and signs with the first', () => {
    const old = createCookieJar({ keys: [OLD_KEY], secure: true });
    const rotated = createCookieJar({ keys: [KEY, OLD_KEY], secure: true });
    const cookie = hold(['a=1'], undefined, old);
    expect(rotated(cookie, '/').header).toBe('a=1');
    expect(open(cookie, '/').header).toBe('');
    expect(open(hold(['b=2'], cookie, rotated), '/').header).toBe('a=1; b=2');
  });

  test('ignores a jar in which any bit was changed', () => {
    const cookie = hold(['_session=abc; path=/']);
    const start = '__session='.length;
    fc.assert(
      fc.property(
        fc.integer({ min: start, max: cookie.length - 2 }),
        fc.constantFrom('A', 'z', '0', '_'),
        (at, to) => {
          fc.pre(cookie[at] !== to && cookie[at] !== '.');
          const changed = cookie.slice(0, at) + to + cookie.slice(at + 1);
          expect(open(changed, '/').header).toBe('');
        },
      ),
    );
  });

  test('never throws at what a browser might send', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (value, path) => {
        expect(open(`__session=${value}`, path).header).toBe('');
        expect(open(value, path).header).toBe('');
      }),
    );
  });

  test('stays below what browsers keep, and loses the oldest first', () => {
    let cookie: string | undefined;
    for (let tab = 0; tab < 60; tab += 1) {
      cookie = hold([`_interaction=${'x'.repeat(21)}; path=/oauth/interaction/${tab}`], cookie);
      expect(cookie.length).toBeLessThan(4_000);
    }
    expect(open(cookie, '/oauth/interaction/59').header).not.toBe('');
    expect(open(cookie, '/oauth/interaction/0').header).toBe('');
  });
});
