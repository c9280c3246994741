import { expect, test } from 'vitest';
import { leafOf } from '../../src/audit/event.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import { growTiles, tilePath } from '../../src/audit/tiles.ts';
import type { LogSource } from '../../src/audit/verify/source.ts';
import { verifyLog } from '../../src/audit/verify/verify-log.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { anEntry, hasher } from './log-house.ts';

const SIZE = 66_000;
const NOW = Date.UTC(2026, 10, 24);
const tenant = 't' as TenantId;
const leaves = Array.from({ length: SIZE }, (_, index) =>
  leafOf({
    ...anEntry(),
    id: `ev_${index}`,
    tenant,
    recorded: new Date(NOW).toISOString(),
    writer: { boot: 'wr_1', count: index + 1, confirmed: [], abandoned: [] },
  }),
);

const GROWN = growTiles(hasher, {
  size: 0,
  leafHashes: leaves.map((leaf) => hasher.leaf(leaf)),
  edge: () => new Uint8Array(),
});

function logOf(change: (tiles: Map<string, Uint8Array>) => void = () => undefined): LogSource {
  const tiles = new Map(GROWN.map(({ hashes, ...at }) => [tilePath(at), hashes as Uint8Array]));
  change(tiles);
  return {
    size: async () => SIZE,
    tile: async (at) => tiles.get(tilePath(at)) ?? null,
    leaves: async (bundle) => leaves.slice(bundle * 256, (bundle + 1) * 256),
    pending: async function* () {},
  };
}
const inclusionOf = async (source: LogSource, progress?: (done: number, of: number) => void) => {
  const report = await verifyLog(source, {
    tenant,
    origin: 'o',
    checkpoint: null,
    keys: [],
    now: NOW,
    sha256: nodeSha256,
    ...(progress === undefined ? {} : { onProgress: progress }),
  });
  return report.verdicts[0]?.findings;
};

test('a log of three levels is walked with progress and without a finding', async () => {
  const steps: number[] = [];
  expect(await inclusionOf(logOf(), (done) => steps.push(done))).toEqual([]);
  expect(steps.at(-1)).toBe(SIZE);
  expect(steps).toHaveLength(Math.ceil(SIZE / 256));
});

test.each(['tile/1/000', 'tile/1/001', 'tile/2/000'])('a changed hash in %s is found there', async (path) => {
  const changed = logOf((tiles) => {
    const hashes = new Uint8Array(tiles.get(path) ?? []);
    hashes[3] = (hashes[3] ?? 0) ^ 1;
    tiles.set(path, hashes);
  });
  expect(await inclusionOf(changed)).toEqual([
    { code: 'TILE_CHANGED', at: expect.stringContaining(path) as string },
  ]);
});

test('a verification that is no longer wanted stops', async () => {
  const signal = AbortSignal.abort();
  const options = { tenant, origin: 'o', checkpoint: null, keys: [], now: NOW, signal };
  await expect(verifyLog(logOf(), options)).rejects.toThrow();
});
