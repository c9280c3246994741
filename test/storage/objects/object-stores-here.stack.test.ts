import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openObjectBucket } from '../../../src/storage/objects/bucket.ts';
import { openObjectFolder } from '../../../src/storage/objects/folder.ts';
import { objectStoreContract } from '../../contracts/object-store.contract.ts';
import { codeOfAsync } from '../../crypto/code-of.ts';
import { memoryObjects } from '../../doubles/memory-objects.ts';

const NAME = 'riverside/pat_1/doc_1/0';

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'chartseal-objects-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return { path, objects: openObjectFolder(path) };
}

type Fault = 'lose' | 'cut' | number;

/** A bucket that keeps to what Cloud Storage documents, and may lose an answer, break one off, or fail. */
async function bucket(faults: Fault[] = []) {
  const kept = new Map<string, Buffer>();
  const seen: (string | undefined)[] = [];
  const server = createServer(async (req, res) => {
    const body = await bodyOf(req);
    const url = new URL(req.url ?? '', 'http://bucket');
    const fault = faults.shift();
    seen.push(req.headers.authorization);
    if (typeof fault === 'number') return res.writeHead(fault).end();
    const name = url.searchParams.get('name') ?? decodeURIComponent(url.pathname.split('/o/')[1] ?? '');
    if (req.method === 'POST') {
      const taken = url.searchParams.get('ifGenerationMatch') === '0' && kept.has(name);
      if (!taken) kept.set(name, body);
      return fault === 'lose' ? req.socket.destroy() : res.writeHead(taken ? 412 : 200).end();
    }
    if (req.method === 'DELETE') return res.writeHead(kept.delete(name) ? 204 : 404).end();
    if (url.pathname.endsWith('/o')) {
      const names = [...kept.keys()].filter((one) => one.startsWith(url.searchParams.get('prefix') ?? ''));
      const items = names.slice(0, Number(url.searchParams.get('maxResults'))).map((one) => ({ name: one }));
      return res.end(JSON.stringify(items.length > 0 ? { items } : {}));
    }
    const found = kept.get(name);
    if (found === undefined) return res.writeHead(404).end();
    res.writeHead(200, { 'content-length': found.length });
    if (fault !== 'cut') return res.end(found);
    res.write(found.subarray(0, 1));
    return setTimeout(() => req.socket.destroy(), 20);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const authorize = async () => ({ authorization: 'Bearer token' });
  return { objects: openObjectBucket({ url, bucket: 'documents', authorize }), kept, seen };
}

async function bodyOf(req: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

objectStoreContract('a folder', async () => folder().objects);
objectStoreContract('a bucket', async () => (await bucket()).objects);
objectStoreContract('memory', async () => memoryObjects());

describe.each([
  ['a folder', async () => folder().objects],
  ['a bucket', async () => (await bucket()).objects],
] as const)('%s', (_name, open) => {
  test('replaces no object: of many at once one is kept', async () => {
    const objects = await open();
    const puts = Array.from({ length: 10 }, (_, n) => objects.put(NAME, Buffer.from(String(n))));
    const kept = (await Promise.allSettled(puts)).map(({ status }) => status === 'fulfilled');
    expect(kept.filter((one) => one)).toHaveLength(1);
    expect((await objects.get(NAME))?.toString()).toBe(String(kept.indexOf(true)));
  });
});

describe('a folder', () => {
  test('is read by its owner alone, holds no half-written file, and keeps no empty folder', async () => {
    const { path, objects } = folder();
    await objects.put(NAME, Buffer.from('x'));
    expect(statSync(join(path, NAME)).mode & 0o777).toBe(0o600);
    expect(readdirSync(path)).toEqual(['riverside']);
    await objects.delete(NAME);
    expect(readdirSync(path)).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });

  test('that cannot be used is an error that may pass', async () => {
    const { path } = folder();
    writeFileSync(join(path, 'file'), '');
    const objects = openObjectFolder(join(path, 'file'));
    await expect(objects.put(NAME, Buffer.from('x'))).rejects.toMatchObject({
      code: 'OBJECTS_UNAVAILABLE',
      retryable: true,
    });
    expect(await codeOfAsync(objects.get(NAME))).toBe('OBJECTS_UNAVAILABLE');
  });
});

describe('a bucket that fails', () => {
  test('one failure is tried again, a refusal is an error at once', async () => {
    const { objects, seen } = await bucket([503]);
    await objects.put(NAME, Buffer.from('x'));
    expect(seen).toEqual(['Bearer token', 'Bearer token']);
    const forbidden = await bucket([403]);
    expect(await codeOfAsync(forbidden.objects.list('riverside/'))).toBe('OBJECTS_UNAVAILABLE');
    expect(forbidden.seen).toHaveLength(1);
  });

  test('an object that was kept though the answer was lost was put; another’s under the same name was not', async () => {
    const { objects, kept } = await bucket(['lose']);
    await objects.put(NAME, Buffer.from('mine'));
    expect(kept.get(NAME)?.toString()).toBe('mine');
    const taken = await bucket(['lose']);
    taken.kept.set(NAME, Buffer.from('other'));
    expect(await codeOfAsync(taken.objects.put(NAME, Buffer.from('mine')))).toBe('OBJECTS_UNAVAILABLE');
    expect(await codeOfAsync(objects.put(NAME, Buffer.from('other')))).toBe('OBJECTS_UNAVAILABLE');
  });

  test('an answer that breaks off is an error, never half an object', async () => {
    const broken = await bucket(['cut']);
    broken.kept.set(NAME, Buffer.from('whole'));
    expect(await codeOfAsync(broken.objects.get(NAME))).toBe('OBJECTS_UNAVAILABLE');
  });
});
