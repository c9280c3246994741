import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { openObjectBucket } from '../../../src/storage/objects/bucket.ts';
import { objectStoreContract } from '../../contracts/object-store.contract.ts';
import { startStorageEmulator } from './storage-emulator.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'chartseal-bucket-'));
let emulator: Awaited<ReturnType<typeof startStorageEmulator>>;
let buckets = 0;
beforeAll(async () => {
  emulator = await startStorageEmulator(dataDir);
});
afterAll(async () => {
  await emulator?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

// It does not look at `ifGenerationMatch`: that an object is never replaced is shown by a server that does.
objectStoreContract('the official Cloud Storage emulator', async () => {
  buckets += 1;
  const authorize = async () => ({ authorization: 'Bearer owner' });
  return openObjectBucket({ url: emulator.url, bucket: `bucket-${buckets}`, authorize });
});
