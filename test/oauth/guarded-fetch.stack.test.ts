import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { developmentOnly } from '../../src/oauth/development.ts';
import { createGuardedFetch, FETCH_BOUNDS, isPublicAddress } from '../../src/oauth/guarded-fetch.ts';

const hosts = ['chatgpt.com'];
const answering = (addresses: readonly string[]) =>
  createGuardedFetch({ hosts, resolve: async () => addresses })('https://chatgpt.com/client.json');

describe('a fetch of an address that a stranger chose', () => {
  test.each([
    ['this machine', '127.0.0.1'],
    ['this machine, unspecified', '0.0.0.0'],
    ['a private network', '10.1.2.3'],
    ['a private network', '172.31.255.255'],
    ['a private network', '192.168.0.1'],
    ['a carrier’s network', '100.64.0.1'],
    ['the metadata server of a cloud', '169.254.169.254'],
    ['multicast', '224.0.0.1'],
    ['IPv6 loopback', '::1'],
    ['IPv6 link-local', 'fe80::1'],
    ['IPv6 unique local', 'fd00:ec2::254'],
    ['IPv4 inside IPv6', '::ffff:127.0.0.1'],
    ['IPv4 translated', '64:ff9b::7f00:1'],
    ['IPv4 tunnelled (6to4)', '2002:7f00:1::'],
    ['documentation', '2001:db8::1'],
    ['no address at all', 'localhost'],
  ])('does not connect to %s (%s), whatever its name', async (_name, address) => {
    expect(isPublicAddress(address)).toBe(false);
    await expect(answering([address])).rejects.toMatchObject({ code: 'FETCH_REFUSED' });
    await expect(answering(['104.18.32.47', address])).rejects.toMatchObject({ code: 'FETCH_REFUSED' });
  });

  test.each(['104.18.32.47', '8.8.8.8', '2606:4700::6812:202f'])('takes %s for public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  test.each([
    'http://chatgpt.com/client.json',
    'https://evil.example/client.json',
    'https://chatgpt.com.evil.example/client.json',
    'https://chatgpt.com@evil.example/client.json',
    'https://user@chatgpt.com/client.json',
    'https://chatgpt.com:8443/client.json',
    'file:///etc/passwd',
    'nonsense',
  ])('asks no name server about %s', async (address) => {
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return ['104.18.32.47'];
    };
    await expect(createGuardedFetch({ hosts, resolve })(address)).rejects.toMatchObject({
      code: 'FETCH_REFUSED',
    });
    expect(asked).toEqual([]);
  });
});

describe('the exchange', () => {
  let server: Server;
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  const fetchFrom = async (listener: RequestListener): Promise<Response> => {
    server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const host = `client.example:${port}`;
    // The name resolves once; the connection goes to that answer, so a second one changes nothing.
    const fetch = createGuardedFetch({
      hosts: [host],
      resolve: async () => ['127.0.0.1'],
      [developmentOnly]: true,
    });
    return fetch(`http://${host}/client.json`);
  };

  test('gives a small document, and how long it may be kept', async () => {
    const response = await fetchFrom((_req, res) =>
      res.writeHead(200, { 'cache-control': 'max-age=60' }).end('{"client_id":"x"}'),
    );
    expect(await response.json()).toEqual({ client_id: 'x' });
    expect(response.headers.get('cache-control')).toBe('max-age=60');
  });

  test('follows no redirect', async () => {
    const asked: (string | undefined)[] = [];
    const response = await fetchFrom((req, res) => {
      asked.push(req.url);
      res.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    });
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toBeNull();
    expect(asked).toEqual(['/client.json']);
  });

  test('ends at 64 KiB', async () => {
    await expect(fetchFrom((_req, res) => res.end('x'.repeat(FETCH_BOUNDS.size + 1)))).rejects.toMatchObject({
      code: 'FETCH_REFUSED',
    });
  });

  test('ends after 2.5 s, though bytes keep trickling', async () => {
    const start = Date.now();
    await expect(
      fetchFrom((_req, res) => {
        const timer = setInterval(() => res.write(' '), 100);
        res.on('close', () => clearInterval(timer));
      }),
    ).rejects.toMatchObject({ code: 'FETCH_REFUSED' });
    expect(Date.now() - start).toBeLessThan(FETCH_BOUNDS.time + 1_500);
  });
});
