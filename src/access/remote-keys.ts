import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../kernel/clock.ts';
import { ChartsealError } from '../kernel/errors.ts';

/** Where an external issuer's keys come from. */
export interface RemoteKeysOptions {
  /** The issuer, as tokens name it. Its discovery document says where the keys are. */
  readonly issuer: string;
  readonly clock: Clock;
  /** The platform's `fetch` when left out. */
  readonly fetch?: typeof globalThis.fetch;
}

/** `KEYS_UNAVAILABLE` (retryable): the issuer did not give its keys, and none are remembered that still may serve. */
export class KeysError extends ChartsealError<'KEYS_UNAVAILABLE'> {}

/** All in milliseconds, but for the size in bytes. */
export const REMOTE_KEYS = {
  /** Keys older than this are fetched anew. */
  maxAge: 10 * 60_000,
  /** After a fetch, good or bad, no other for this long: a made-up `kid` cannot make us hammer the issuer. */
  cooldown: 30_000,
  /** While the issuer does not answer, keys of this age still serve. */
  staleIfError: 24 * 60 * 60_000,
  timeout: 5_000,
  maxBytes: 64 * 1024,
} as const;

interface Known {
  readonly keys: ReturnType<typeof createLocalJWKSet>;
  readonly at: number;
}

/**
 * The keys of an external issuer, for `verifyBearer`. Many verifications at once make one fetch; an outage of the
 * issuer does not end calls whose keys are known.
 *
 * @returns a key source that throws KeysError `KEYS_UNAVAILABLE`, and jose's `JWKSNoMatchingKey` for an unknown key.
 */
export function remoteKeys(options: RemoteKeysOptions): JWTVerifyGetKey {
  const { clock } = options;
  let known: Known | null = null;
  let triedAt = Number.NEGATIVE_INFINITY;
  let pending: Promise<void> | null = null;

  const refetch = (): Promise<void> => {
    pending ??= fetchKeys(options)
      .then((keys) => {
        known = { keys, at: clock() };
      })
      // Whoever waits decides by what is known; the reason is the issuer's and helps nobody here.
      .catch(() => {})
      .finally(() => {
        triedAt = clock();
        pending = null;
      });
    return pending;
  };
  const mayTry = (): boolean => pending !== null || clock() - triedAt >= REMOTE_KEYS.cooldown;
  const current = async (): Promise<Known> => {
    if ((known === null || clock() - known.at >= REMOTE_KEYS.maxAge) && mayTry()) await refetch();
    if (known === null || clock() - known.at >= REMOTE_KEYS.staleIfError) throw unavailable();
    return known;
  };
  return async (header, token) => {
    const before = await current();
    try {
      return await before.keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !mayTry()) throw error;
      await refetch();
      return (await current()).keys(header, token);
    }
  };
}

const unavailable = (): KeysError =>
  new KeysError('KEYS_UNAVAILABLE', 'The sign-in service does not give its keys. Try again in a minute.', {
    retryable: true,
  });

async function fetchKeys({ issuer, fetch = globalThis.fetch }: RemoteKeysOptions): Promise<Known['keys']> {
  const { issuer: named, jwks_uri: address } = (await getJson(
    `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    fetch,
  )) as { issuer?: unknown; jwks_uri?: unknown };
  // OpenID Connect Discovery §4.3: a document that names another issuer is not this one's.
  if (named !== issuer || typeof address !== 'string' || !trustworthy(address, issuer)) throw unavailable();
  return createLocalJWKSet((await getJson(address, fetch)) as JSONWebKeySet);
}

/** https, or the issuer's own scheme and host on a developer's machine. */
const trustworthy = (address: string, issuer: string): boolean =>
  address.startsWith('https://') || URL.parse(address)?.origin === new URL(issuer).origin;

async function getJson(address: string, fetch: typeof globalThis.fetch): Promise<unknown> {
  const response = await fetch(address, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(REMOTE_KEYS.timeout),
  });
  if (response.status !== 200) throw unavailable();
  return JSON.parse(await textWithin(response, REMOTE_KEYS.maxBytes));
}

async function textWithin(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw unavailable();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
