import { fromBase64 } from '../../audit/bytes.ts';
import { TILE_WIDTH } from '../../audit/tiles.ts';
import type { LogSource, PendingEvent, StoredValue } from '../../audit/verify/source.ts';
import { decodeFrames, type LogFrame } from './frames.ts';

/** What the server says of the world outside the store; judged by the verifier, not believed. */
export interface Evidence {
  readonly tenant: string;
  readonly origin: string;
  readonly isConfigured: boolean;
  readonly checkpoint: string | null;
  readonly earlier: readonly string[];
  readonly keys: string;
  /** The server's clock, ms since the epoch. */
  readonly now: number;
}

/** The server did not give what was asked for. */
export class LogUnavailable extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const BUNDLES = 16;
const TIMEOUT_MS = 60_000;
const ATTEMPTS = 3;

/** @throws LogUnavailable after three attempts, at once when the server refuses. */
async function call(path: string, method: 'GET' | 'POST' = 'GET'): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(path, { method, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null);
    if (response?.ok === true) return response;
    if (response !== null && response.status < 500) {
      const body = (await response.json().catch(() => ({}))) as { error?: string };
      throw new LogUnavailable(body.error ?? 'REFUSED');
    }
    if (attempt === ATTEMPTS) throw new LogUnavailable(response === null ? 'UNREACHABLE' : 'SERVER');
  }
}

/** Opens the log for reading: the server logs that first. */
export const openLog = async (): Promise<Evidence> =>
  (await (await call('/console/api/read', 'POST')).json()) as Evidence;

async function* linesOf<T>(path: string): AsyncGenerator<T> {
  const text = await (await call(path)).text();
  for (const line of text.split('\n')) if (line !== '') yield JSON.parse(line) as T;
}

export const storedValues = (): AsyncGenerator<StoredValue> => linesOf('/console/api/log/stored');

/** The log over HTTP, several bundles a call, the next ones fetched ahead. Keeps all that it was given. */
export class HttpLog implements LogSource {
  readonly #chunks = new Map<number, Promise<readonly LogFrame[]>>();
  readonly #frames: LogFrame[] = [];
  readonly #tiles = new Map<string, Uint8Array | null>();
  readonly #pending = new Map<string, PendingEvent>();
  #size = 0;

  async size(): Promise<number> {
    const { size } = (await (await call('/console/api/log/size')).json()) as { size: number };
    this.#size = size;
    return size;
  }

  async tile({ level, index }: { level: number; index: number }): Promise<Uint8Array | null> {
    if (level === 0) return (await this.#frame(index)).tile;
    const name = `${level}-${index}`;
    const known = this.#tiles.get(name);
    if (known !== undefined) return known;
    const response = await call(`/console/api/log/tile?level=${level}&index=${index}`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const tile = bytes.length === 0 ? null : bytes;
    this.#tiles.set(name, tile);
    return tile;
  }

  async leaves(bundle: number): Promise<readonly (Uint8Array | null)[]> {
    return (await this.#frame(bundle)).leaves;
  }

  async *pending(): AsyncGenerator<PendingEvent> {
    for await (const line of linesOf<Record<'id' | 'leafHash' | 'leaf', string | null>>(
      '/console/api/log/pending',
    )) {
      const event = {
        id: line.id ?? '',
        leafHash: fromBase64(line.leafHash ?? '') ?? new Uint8Array(),
        leaf: line.leaf === null ? null : fromBase64(line.leaf),
      };
      this.#pending.set(event.id, event);
      yield event;
    }
  }

  /** A leaf that was read, by its place in the tree; null when it is not there. */
  leafAt(index: number): Uint8Array | null {
    return this.#frames[Math.floor(index / TILE_WIDTH)]?.leaves[index % TILE_WIDTH] ?? null;
  }

  pendingLeaf(id: string): Uint8Array | null {
    return this.#pending.get(id)?.leaf ?? null;
  }

  *pendingLeaves(): Generator<Uint8Array> {
    for (const { leaf } of this.#pending.values()) if (leaf !== null) yield leaf;
  }

  async #frame(bundle: number): Promise<LogFrame> {
    for (let from = bundle; ; from = bundle) {
      const kept = this.#frames[bundle];
      if (kept !== undefined) return kept;
      const frames = await this.#chunk(from);
      for (const [n, frame] of frames.entries()) this.#frames[from + n] ??= frame;
      this.#chunks.delete(from);
      const next = from + frames.length;
      if (next * TILE_WIDTH < this.#size) void this.#chunk(next).catch(() => undefined);
    }
  }

  #chunk(from: number): Promise<readonly LogFrame[]> {
    const known = this.#chunks.get(from);
    if (known !== undefined) return known;
    const count = Math.max(1, Math.min(BUNDLES, Math.ceil(this.#size / TILE_WIDTH) - from));
    const fetched = call(`/console/api/log/bundles?from=${from}&count=${count}`).then(async (response) => {
      const frames = decodeFrames(new Uint8Array(await response.arrayBuffer()));
      if (frames.length === 0) throw new LogUnavailable('SERVER');
      return frames;
    });
    this.#chunks.set(from, fetched);
    return fetched;
  }
}
