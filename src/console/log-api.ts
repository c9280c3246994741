import { toBase64 } from '../audit/bytes.ts';
import { originOf } from '../audit/checkpoint.ts';
import { outsideEvidence } from '../audit/evidence.ts';
import type { Outside } from '../audit/outside.ts';
import { storeSource } from '../audit/store-source.ts';
import { formatTrustedKey } from '../audit/trusted-keys.ts';
import { pendingLine } from '../audit/verify/bundle-source.ts';
import { storedDigests } from '../crypto/stored-digests.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { ConsoleError } from './errors.ts';
import { encodeFrame } from './frames.ts';

/** Where the log and what proves it are read. */
export interface LogPlaces {
  readonly store: Store;
  /** Null when no place for checkpoints is configured: then nothing is proven, and the console says so. */
  readonly outside: Outside | null;
  readonly projectId: string;
}

/** An answer's body, in pieces. */
export interface Body {
  readonly type: string;
  readonly pieces: AsyncIterable<Uint8Array | string>;
}

/** Bundles in one answer at most, and the bytes after which no further bundle is begun. */
const MAX_BUNDLES = 32;
const ENOUGH_BYTES = 4 * 1_048_576;

/** What is outside the store, for the browser to judge: base64 notes, and keys one a line. */
export async function readEvidence(places: LogPlaces, tenant: TenantId) {
  const { store, outside, projectId } = places;
  if (outside === null)
    return {
      origin: originOf(projectId, tenant),
      isConfigured: false,
      checkpoint: null,
      earlier: [],
      keys: '',
    };
  const { origin, checkpoint, earlier, keys } = await outsideEvidence({ store, outside, projectId }, tenant);
  return {
    origin,
    isConfigured: true,
    checkpoint: checkpoint === null ? null : toBase64(checkpoint),
    earlier: [...earlier.values()].map(toBase64),
    keys: keys.map(formatTrustedKey).join('\n'),
  };
}

/** The parts of the log by name; each is read by the verifier in the browser. */
export function readLog(
  { store }: LogPlaces,
  tenant: TenantId,
  asked: { part: string; query: URLSearchParams },
): Body {
  const { part, query } = asked;
  const rows = store.tenant(tenant);
  const source = storeSource(rows);
  switch (part) {
    case 'size':
      return json(async () => ({ size: await source.size() }));
    case 'pending':
      return lines(source.pending(), pendingLine);
    case 'stored':
      return lines(storedDigests(rows), (value) => JSON.stringify(value));
    case 'tile': {
      const at = { level: numberOf(query, 'level', 7), index: numberOf(query, 'index') };
      return octets(async function* () {
        yield (await source.tile(at)) ?? new Uint8Array();
      });
    }
    case 'bundles': {
      const from = numberOf(query, 'from');
      const count = numberOf(query, 'count', MAX_BUNDLES);
      return octets(async function* () {
        for (let bundle = from, sent = 0; bundle < from + count && sent < ENOUGH_BYTES; bundle += 1) {
          const [tile, leaves] = await Promise.all([
            source.tile({ level: 0, index: bundle }),
            source.leaves(bundle),
          ]);
          const frame = encodeFrame({ tile, leaves });
          sent += frame.length;
          yield frame;
        }
      });
    }
    default:
      throw new ConsoleError('CONSOLE_ADDRESS', 'There is no such part of the log.');
  }
}

function numberOf(query: URLSearchParams, name: string, most = Number.MAX_SAFE_INTEGER): number {
  const text = query.get(name) ?? '';
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text) || value > most)
    throw new ConsoleError('CONSOLE_INPUT', `Give ${name} as a number that is not too large.`);
  return value;
}

const json = (read: () => Promise<unknown>): Body => ({
  type: 'application/json',
  pieces: (async function* () {
    yield JSON.stringify(await read());
  })(),
});

const octets = (pieces: () => AsyncGenerator<Uint8Array>): Body => ({
  type: 'application/octet-stream',
  pieces: pieces(),
});

const lines = <T>(values: AsyncIterable<T>, lineOf: (value: T) => string): Body => ({
  type: 'application/x-ndjson',
  pieces: (async function* () {
    for await (const value of values) yield `${lineOf(value)}\n`;
  })(),
});
