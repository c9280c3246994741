import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COLLECTIONS } from '../../src/collections.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';

/** A string as it might lie somewhere: as text, as hex or base64 at any offset, or as an unkeyed hash of it. */
function traces(planted: string): Buffer[] {
  const inBase64 = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), Buffer.from(planted)]).toString('base64');
    return text.slice(4, -4);
  });
  const hashes = ['sha256', 'sha1', 'md5'].flatMap((name) =>
    (['hex', 'base64', 'base64url'] as const).map((as) => createHash(name).update(planted).digest(as)),
  );
  const texts = [planted, Buffer.from(planted).toString('hex'), ...inBase64, ...hashes];
  return [Buffer.from(planted, 'utf16le'), ...texts.map((text) => Buffer.from(text))];
}

/** Which of them have left a trace. */
export const found = (planted: readonly string[], haystack: Buffer): string[] =>
  planted.filter((one) => traces(one).some((trace) => haystack.includes(trace)));

/** Every file below a folder. */
export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

export const contentOf = (files: readonly string[]): Buffer =>
  Buffer.concat(files.map((file) => readFileSync(file)));

/** Every row of every collection, ids and bytes included. */
export async function everyRow(store: Store, tenant: TenantId): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const of of COLLECTIONS) {
    for (const { id, row } of await store.tenant(tenant).list(of, { limit: 1_000 })) {
      parts.push(Buffer.from(`${id} `));
      for (const value of Object.values(row)) {
        parts.push(
          value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(`${JSON.stringify(value)} `),
        );
      }
    }
  }
  return Buffer.concat(parts);
}
