import { createHmac, timingSafeEqual } from 'node:crypto';
import type { OutgoingMessage, ServerResponse } from 'node:http';
import { systemClock } from '../kernel/clock.ts';

/**
 * Packs all cookies of this origin's pages into the one that Firebase Hosting lets through.
 *
 * The library sets a cookie for the session and two for each interaction, each with a path of its own. Here they
 * become entries of one signed `__session` cookie, and a request sees only the entries of its path, so two tabs
 * do not disturb each other. The jar keeps no secret from the browser; it keeps the browser from changing it.
 */

const NAME = '__session';
/** Browsers drop a cookie over 4,096 bytes; the oldest entries go first. */
const LIMIT = 3_600;
/** An entry without an expiry of its own lasts as long as a sign-in may take, in seconds. */
const DEFAULT_AGE = 15 * 60;

interface Entry {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** Seconds since the Unix epoch. */
  readonly expires: number;
}

/** One browser's cookies during one request. */
export interface OpenedJar {
  /** The `Cookie` header that code behind the jar reads. */
  readonly header: string;
  /** The value of one cookie; undefined when there is none. */
  get(name: string): string | undefined;
  /** From now until the response starts, `Set-Cookie` headers set on it go into the jar. */
  attach(response: ServerResponse): void;
}

/** Opens jars with `keys`: the first signs, all verify. `secure` says whether the site is served over https. */
export function createCookieJar(options: {
  keys: readonly string[];
  secure: boolean;
}): (cookieHeader: string | undefined, path: string) => OpenedJar {
  const seconds = (): number => Math.floor(systemClock() / 1000);
  return (cookieHeader, path) => {
    const entries = unpack(cookieHeader, options.keys).filter((entry) => entry.expires > seconds());
    const visible = entries.filter((entry) => pathMatches(path, entry.path));
    return {
      header: visible.map(({ name, value }) => `${name}=${value}`).join('; '),
      get: (wanted) => visible.find(({ name }) => name === wanted)?.value,
      attach: (response) =>
        beforeHeaders(response, () => {
          const set = response.getHeader('set-cookie');
          if (set === undefined) return;
          const changed = (Array.isArray(set) ? set : [String(set)]).map((line) => parse(line, seconds()));
          const value = pack(merge(entries, changed, seconds()), options.keys[0] ?? '');
          const secure = options.secure ? '; Secure' : '';
          response.setHeader('set-cookie', `${NAME}=${value}; Path=/; HttpOnly; SameSite=Lax${secure}`);
          // Hosting keeps Set-Cookie only on private responses, and no cache may ever hold one.
          response.setHeader('cache-control', 'private, no-store');
        }),
    };
  };
}

function merge(entries: readonly Entry[], changed: readonly Entry[], now: number): Entry[] {
  const kept = entries.filter(
    (entry) => !changed.some(({ name, path }) => name === entry.name && path === entry.path),
  );
  return [...kept, ...changed.filter((entry) => entry.expires > now)];
}

function pack(entries: Entry[], key: string): string {
  for (let from = 0; ; from += 1) {
    const rows = entries.slice(from).map(({ name, value, path, expires }) => [name, value, path, expires]);
    const body = Buffer.from(JSON.stringify(rows)).toString('base64url');
    if (body.length <= LIMIT) return `${body}.${sign(body, key).toString('base64url')}`;
  }
}

function unpack(header: string | undefined, keys: readonly string[]): Entry[] {
  const [body, signature] =
    new RegExp(`(?:^|;\\s*)${NAME}=([\\w-]+\\.[\\w-]+)`).exec(header ?? '')?.[1]?.split('.') ?? [];
  if (body === undefined || signature === undefined) return [];
  const given = Buffer.from(signature, 'base64url');
  const genuine = keys.some((key) => {
    const expected = sign(body, key);
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
  if (!genuine) return [];
  const rows = JSON.parse(Buffer.from(body, 'base64url').toString()) as [string, string, string, number][];
  return rows.map(([name, value, path, expires]) => ({ name, value, path, expires }));
}

const sign = (body: string, key: string): Buffer =>
  createHmac('sha256', key).update(`chartseal/cookie-jar/1\0${body}`).digest();

function parse(line: string, now: number): Entry {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  const attribute = (name: string): string | undefined =>
    attributes.find((one) => one.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
  const expires = attribute('expires');
  const at = pair.indexOf('=');
  return {
    name: pair.slice(0, at),
    value: pair.slice(at + 1),
    path: attribute('path') ?? '/',
    expires: expires === undefined ? now + DEFAULT_AGE : Math.floor(Date.parse(expires) / 1000),
  };
}

/** RFC 6265 §5.1.4. */
const pathMatches = (path: string, cookiePath: string): boolean =>
  path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);

function beforeHeaders(response: ServerResponse, run: () => void): void {
  const writeHead = response.writeHead as (this: OutgoingMessage, ...args: unknown[]) => ServerResponse;
  response.writeHead = function (this: ServerResponse, ...args: unknown[]) {
    response.writeHead = writeHead as ServerResponse['writeHead'];
    run();
    return writeHead.apply(this, args);
  } as ServerResponse['writeHead'];
}
