import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBrowser } from '../../../src/dev/user-agent/browser.ts';
import { createGuardedFetch } from '../../../src/oauth/guarded-fetch.ts';
import { authorizationRequest, REDIRECT } from '../../oauth/client.ts';
import { type Attacked, expectRefusedPage, startAttacked } from './house.ts';

const HOST = 'chatgpt.com';
const DOCUMENT = {
  client_name: 'ChatGPT',
  redirect_uris: [REDIRECT],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
};

let at: Attacked;
/** What was asked, and what the documents of the allowed host say. */
let resolved: string[] = [];
let fetched: string[] = [];
let answer: (address: string) => Response | Promise<Response>;
let addresses: readonly string[] = ['104.18.32.47'];
beforeAll(async () => {
  const guarded = createGuardedFetch({
    hosts: [HOST],
    resolve: async (host) => {
      resolved.push(host);
      return addresses;
    },
  });
  at = await startAttacked({
    fetch: async (input, init) => {
      fetched.push(String(input));
      return addresses[0] === '104.18.32.47' ? answer(String(input)) : guarded(input, init);
    },
  });
});
afterAll(() => at.close());

const open = async (clientId: string) => {
  resolved = [];
  fetched = [];
  const { url } = authorizationRequest(at, clientId);
  return at.unharmed([], () => createBrowser(at.issuer).open(url));
};
const refused = async (clientId: string): Promise<void> => {
  const end = await open(clientId);
  if (end instanceof URL) throw new Error(`Sent to ${end.origin}`);
  await expectRefusedPage(end, 400);
};

describe('a client document that an attacker names', () => {
  test.each([
    'https://evil.example/client.json',
    'https://chatgpt.com.evil.example/client.json',
    'https://chatgpt.com@evil.example/client.json',
    'https://chatgpt.com:8443/client.json',
    'https://127.0.0.1/client.json',
    'https://[::1]/client.json',
    'https://169.254.169.254/latest/meta-data/',
    'https://metadata.google.internal/computeMetadata/v1/',
    'https://localhost/client.json',
    'http://chatgpt.com/client.json',
    'https://chatgpt.com/../client.json',
    'https://chatgpt.com/client.json#x',
    'file:///etc/passwd',
    'gopher://chatgpt.com/1',
  ])('%s is not fetched', async (clientId) => {
    await refused(clientId);
    expect({ resolved, fetched }).toEqual({ resolved: [], fetched: [] });
  });

  test.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', 'fd00::1', '::ffff:10.0.0.1'])(
    'at an allowed name that leads to %s is not connected to',
    async (address) => {
      addresses = [address];
      await refused(`https://${HOST}/to-${address.replaceAll(/[^\w]/g, '-')}.json`).finally(() => {
        addresses = ['104.18.32.47'];
      });
      expect(new Set(resolved)).toEqual(new Set([HOST]));
    },
  );

  const documents: Readonly<Record<string, (id: string) => Response>> = {
    'redirects inwards': () =>
      new Response(null, { status: 302, headers: { location: 'http://169.254.169.254/' } }),
    'is too large': (id) => Response.json({ ...DOCUMENT, client_id: id, pad: 'x'.repeat(200_000) }),
    'is no JSON': () => new Response('<html>'),
    'is of another client': () => Response.json({ ...DOCUMENT, client_id: `https://${HOST}/real.json` }),
    'wants a shared secret': (id) =>
      Response.json({ ...DOCUMENT, client_id: id, token_endpoint_auth_method: 'client_secret_post' }),
    'brings a secret': (id) => Response.json({ ...DOCUMENT, client_id: id, client_secret: 's' }),
    'redirects people to a stranger': (id) =>
      Response.json({ ...DOCUMENT, client_id: id, redirect_uris: ['https://evil.example/'] }),
    'keeps its keys at a stranger': (id) =>
      Response.json({
        ...DOCUMENT,
        client_id: id,
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: 'https://evil.example/keys',
      }),
    'is missing': () => new Response(null, { status: 404 }),
  };
  test.each(Object.keys(documents))('of an allowed host that %s makes no client', async (name) => {
    answer = (address) => documents[name]?.(address) ?? new Response(null, { status: 404 });
    const clientId = `https://${HOST}/${name.replaceAll(' ', '-')}.json`;
    await refused(clientId);
    expect(new Set(fetched)).toEqual(new Set([clientId]));
  });

  test('that is sound makes one', async () => {
    answer = (address) => Response.json({ ...DOCUMENT, client_id: address });
    const { url } = authorizationRequest(at, `https://${HOST}/sound.json`);
    const end = await createBrowser(at.issuer).open(url);
    expect('html' in end && end.html).toContain('<h1>Sign in</h1>');
  });
});
