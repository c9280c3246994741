import { lookup } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';
import { developmentOnly } from './development.ts';
import { OAuthError } from './errors.ts';

/** How {@link createGuardedFetch} is set up. */
export interface GuardedFetchOptions {
  /** Hosts that may be asked, and no others. */
  readonly hosts: readonly string[];
  /** All addresses of a host; the platform's resolver when left out. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** Takes http and addresses of this machine. */
  readonly [developmentOnly]?: true;
}

/** Time in milliseconds from the request to its last byte, and size in bytes. */
export const FETCH_BOUNDS = { time: 2_500, size: 64 * 1024 } as const;

/** Addresses that are not on the public internet (IANA special-purpose registries). */
const NOT_PUBLIC = blockListOf([
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);
/** Of IPv6 only global unicast is public: no loopback, no mapped IPv4, no translation, no local network. */
const GLOBAL_IPV6 = blockListOf([['2000::', 3]]);

/** Whether `address` is one that the public internet routes to. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false;
  if (!isIPv6(address)) return !NOT_PUBLIC.check(address, 'ipv4');
  return GLOBAL_IPV6.check(address, 'ipv6') && !NOT_PUBLIC.check(address, 'ipv6');
}

/**
 * A `fetch` for addresses that a stranger chose: GET over https from an allowed host alone, to a public address,
 * without redirects, bounded in time and size. The connection goes to the very address that was looked at, so a
 * second answer of the name server changes nothing.
 *
 * @returns rejects with OAuthError `FETCH_REFUSED`; the library turns that into `invalid_client`.
 */
export function createGuardedFetch(options: GuardedFetchOptions): typeof globalThis.fetch {
  const resolve = options.resolve ?? resolveAll;
  const development = options[developmentOnly] === true;
  return async (input) => {
    const url = URL.parse(String(input));
    const allowed = url !== null && (url.protocol === 'https:' || (development && url.protocol === 'http:'));
    if (!allowed || url.username !== '' || !options.hosts.includes(url.host)) throw refused();
    const addresses = await resolve(url.hostname.replace(/^\[|\]$/g, ''));
    const [address] = addresses;
    if (address === undefined || !(development || addresses.every(isPublicAddress))) throw refused();
    return get(url, address);
  };
}

const resolveAll = async (host: string): Promise<string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);

function get(url: URL, address: string): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const pinned = ((_host, { all }, done) => {
    const family = isIPv6(address) ? 6 : 4;
    if (all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  }) satisfies LookupFunction;
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const req = send(url, { lookup: pinned, agent: false, headers: { accept: 'application/json' } }, (res) => {
    const chunks: Buffer[] = [];
    let length = 0;
    res.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > FETCH_BOUNDS.size) res.destroy(refused());
      else chunks.push(chunk);
    });
    res.on('error', reject);
    res.on('end', () => resolve(responseOf(res.statusCode ?? 0, chunks, res.headers['cache-control'])));
  });
  // The whole exchange, not the pause between two bytes: a server that trickles is cut off too.
  const deadline = setTimeout(() => req.destroy(refused()), FETCH_BOUNDS.time);
  req.on('close', () => clearTimeout(deadline));
  req.on('error', reject);
  req.end();
  return promise;
}

/** A redirect stays a redirect: nobody here follows it, and whoever reads it wants 200. */
function responseOf(status: number, chunks: Buffer[], cacheControl: string | undefined): Response {
  const empty = status === 204 || status === 304 || status < 200;
  return new Response(empty ? null : Buffer.concat(chunks), {
    status: status < 200 || status > 599 ? 502 : status,
    ...(cacheControl === undefined ? {} : { headers: { 'cache-control': cacheControl } }),
  });
}

function blockListOf(subnets: readonly (readonly [net: string, prefix: number])[]): BlockList {
  const found = new BlockList();
  for (const [net, prefix] of subnets) found.addSubnet(net, prefix, isIPv6(net) ? 'ipv6' : 'ipv4');
  return found;
}

const refused = (): OAuthError =>
  new OAuthError(
    'FETCH_REFUSED',
    'A client document is fetched from an allowed host over https, and is small.',
  );
