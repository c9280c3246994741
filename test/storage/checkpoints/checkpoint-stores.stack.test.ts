import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CheckpointStore } from '../../../src/audit/outside.ts';
import { openCheckpointBucket } from '../../../src/storage/checkpoints/bucket.ts';
import { openCheckpointFolder } from '../../../src/storage/checkpoints/folder.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const NAME = 't/checkpoint/000000000001';

function folder(): CheckpointStore {
  const path = mkdtempSync(join(tmpdir(), 'chartseal-outside-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return openCheckpointFolder(path);
}

/** A bucket that keeps what is there, and may lose the answer to a request, or fail. */
async function bucket(condition: 'gcs' | 's3', faults: ('lose' | 500 | 403)[] = []) {
  const objects = new Map<string, Buffer>();
  const seen: (string | undefined)[] = [];
  const server = createServer(async (req, res) => {
    const body = await bodyOf(req);
    const header =
      condition === 'gcs' ? req.headers['x-goog-if-generation-match'] : req.headers['if-none-match'];
    const fault = faults.shift();
    seen.push(req.headers.authorization);
    if (typeof fault === 'number') return res.writeHead(fault).end();
    const path = req.url ?? '';
    if (req.method === 'GET') {
      const found = objects.get(path);
      return found === undefined ? res.writeHead(404).end() : res.end(found);
    }
    const taken = objects.has(path) && header === (condition === 'gcs' ? '0' : '*');
    if (!taken) objects.set(path, body);
    if (fault === 'lose') return req.socket.destroy();
    return res.writeHead(taken ? 412 : 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket`;
  const authorize = async () => ({ authorization: 'Bearer token' });
  return { store: openCheckpointBucket({ url, condition, authorize }), objects, seen };
}

async function bodyOf(req: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

describe.each([
  ['a folder', async () => folder()],
  ['a bucket of Cloud Storage', async () => (await bucket('gcs')).store],
  ['a bucket of S3', async () => (await bucket('s3')).store],
] as const)('%s', (_name, open) => {
  test('gives back what was put, once', async () => {
    const store = await open();
    expect(await store.get(NAME)).toBeNull();
    expect(await store.putIfAbsent(NAME, bytes('one'))).toBe(true);
    expect(await store.putIfAbsent(NAME, bytes('two'))).toBe(false);
    expect(Buffer.from((await store.get(NAME)) ?? []).toString()).toBe('one');
  });

  test('of many at once exactly one is kept', async () => {
    const store = await open();
    const kept = await Promise.all(
      Array.from({ length: 10 }, (_, n) => store.putIfAbsent(NAME, bytes(String(n)))),
    );
    expect(kept.filter((one) => one)).toHaveLength(1);
    expect(Buffer.from((await store.get(NAME)) ?? []).toString()).toBe(String(kept.indexOf(true)));
  });
});

describe('a bucket that fails', () => {
  test('a put whose answer was lost is known to be ours', async () => {
    const { store, seen } = await bucket('gcs', ['lose']);
    expect(await store.putIfAbsent(NAME, bytes('one'))).toBe(true);
    expect(seen).toEqual(['Bearer token', 'Bearer token', 'Bearer token']);
  });

  test('one failure is tried again, a lasting one is an error that may pass', async () => {
    expect(await (await bucket('s3', [500, 500])).store.putIfAbsent(NAME, bytes('one'))).toBe(true);
    const { store } = await bucket('s3', [500, 500, 500]);
    await expect(store.get(NAME)).rejects.toMatchObject({ code: 'OUTSIDE_UNAVAILABLE', retryable: true });
  });

  test('a refusal is an error at once, and never "there is none"', async () => {
    const { store, seen } = await bucket('gcs', [403]);
    await expect(store.get(NAME)).rejects.toMatchObject({ code: 'OUTSIDE_UNAVAILABLE' });
    expect(seen).toHaveLength(1);
  });
});

test('a folder that cannot be used says so', async () => {
  const store = openCheckpointFolder('/dev/null/nowhere');
  await expect(store.putIfAbsent(NAME, bytes('one'))).rejects.toMatchObject({ code: 'OUTSIDE_UNAVAILABLE' });
});
