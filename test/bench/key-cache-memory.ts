import { createSecretKey, randomBytes } from 'node:crypto';
import { DEFAULT_KEY_CACHE, KeyCache } from '../../src/crypto/key-cache.ts';
import { newPatientAlias, newPatientId } from '../../src/kernel/ids.ts';

/**
 * Prints by how many bytes a process grows when it holds 10,000 patients' keys. A process of its own, run with
 * `--expose-gc`: what else a long run has allocated and given back would drown the figure.
 */
const cache = new KeyCache(DEFAULT_KEY_CACHE, () => 0);
const before = await residentBytes();
for (let count = 0; count < 10_000; count += 1) {
  const id = `riverside/${newPatientId()}/${newPatientAlias()}/1`;
  await cache.get(id, async () => createSecretKey(randomBytes(32)));
}
const grown = (await residentBytes()) - before;
if (cache.size !== 10_000) throw new Error('The cache did not hold 10,000 keys.');
process.stdout.write(`${grown}\n`);

async function residentBytes(): Promise<number> {
  for (let turn = 0; turn < 3; turn += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().rss;
}
