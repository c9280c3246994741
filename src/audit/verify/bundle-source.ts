import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TILE_WIDTH, tilePath, widthOf } from '../tiles.ts';
import type { LogSource, PendingEvent } from './source.ts';

/** A leaf as a line: its own text, or `!base64` when that is no line; empty when the leaf is gone. */
export function leafLine(leaf: Uint8Array | null): string {
  if (leaf === null) return '';
  const text = Buffer.from(leaf).toString('utf8');
  const isLine = text.startsWith('{') && !text.includes('\n') && Buffer.from(text).equals(leaf);
  return isLine ? text : `!${Buffer.from(leaf).toString('base64')}`;
}

/** A pending event as a line of the bundle. */
export const pendingLine = ({ id, leafHash, leaf }: PendingEvent): string =>
  JSON.stringify({
    id,
    leafHash: Buffer.from(leafHash).toString('base64'),
    leaf: leaf === null ? null : Buffer.from(leaf).toString('base64'),
  });

/** An evidence bundle's folder as a log. Its leaves are read once, in order. */
export function bundleSource(folder: string, size: number): LogSource {
  const lines = linesOf(join(folder, 'leaves.ndjson'));
  return {
    size: async () => size,
    tile: async (at) => {
      const path = join(folder, tilePath(at, widthOf(at, size)));
      return readFile(path).catch(() => null);
    },
    leaves: async () => {
      const leaves: (Uint8Array | null)[] = [];
      while (leaves.length < TILE_WIDTH) {
        const { value, done } = await lines.next();
        if (done === true) break;
        leaves.push(readLeaf(value));
      }
      return leaves;
    },
    pending: async function* () {
      for await (const line of linesOf(join(folder, 'pending.ndjson'))) {
        const { id, leafHash, leaf } = JSON.parse(line) as Record<string, string | null>;
        yield {
          id: id ?? '',
          leafHash: Buffer.from(leafHash ?? '', 'base64'),
          leaf: typeof leaf === 'string' ? Buffer.from(leaf, 'base64') : null,
        };
      }
    },
  };
}

function readLeaf(line: string): Uint8Array | null {
  if (line === '') return null;
  return line.startsWith('!') ? Buffer.from(line.slice(1), 'base64') : Buffer.from(line);
}

function linesOf(file: string): AsyncIterator<string> & AsyncIterable<string> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  return lines[Symbol.asyncIterator]();
}
