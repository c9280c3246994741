import { beforeEach, describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../../src/audit/append.ts';
import { DOCUMENT_LIMITS } from '../../../src/clinic/documents/document.ts';
import type { NewDocument } from '../../../src/clinic/documents/documents.ts';
import { Documents } from '../../../src/clinic/documents/documents.ts';
import { CHUNK_BYTES } from '../../../src/clinic/documents/sealed-chunks.ts';
import {
  documentUploads,
  dropUpload,
  UNFINISHED_MS,
  uploadRound,
} from '../../../src/clinic/documents/uploads.ts';
import type { PatientRef } from '../../../src/crypto/patient-keys.ts';
import { codeOfAsync } from '../../crypto/code-of.ts';
import { type MemoryObjects, memoryObjects } from '../../doubles/memory-objects.ts';
import { createMemoryStore, type MemoryStore } from '../../doubles/memory-store.ts';
import { openPrivacy } from '../../lifecycle/house.ts';

const entry = (id: string): AuditEntry => ({
  action: 'C',
  operation: 'addDocument',
  outcome: '0',
  actor: { user: 'usr', role: 'patient', client: 'c' },
  entity: { resource: 'DocumentReference', id },
  purposeOfUse: 'PATRQT',
  policy: 'test',
});

async function* pieces(bytes: Buffer, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
/** A PDF of so many bytes, no two of them alike by accident. */
function pdf(size: number): Buffer {
  const bytes = Buffer.alloc(size, Buffer.from('qwertyuiop asdfghjkl zxcvbnm 0123456789;'));
  bytes.write('%PDF-1.7\n'.slice(0, size), 'latin1');
  return bytes;
}
const letter = (bytes: Buffer, change: Partial<NewDocument> = {}): NewDocument => ({
  ...{ title: 'Referral to cardiology', kind: 'referral', addedBy: 'patient', bytes: pieces(bytes) },
  ...change,
});

describe('documents of a chart', () => {
  let store: MemoryStore;
  let objects: MemoryObjects;
  let at: Awaited<ReturnType<typeof openPrivacy>>;
  let of: PatientRef;
  beforeEach(async () => {
    store = createMemoryStore();
    objects = memoryObjects();
    at = await openPrivacy(store, { objects });
    of = await at.imported();
  });
  const uploads = () => at.reader.list(documentUploads, { limit: 10 });
  const read = async (id: string, who = of): Promise<Buffer> => {
    const parts: Buffer[] = [];
    for await (const chunk of (await at.documents.open(who, id)).bytes) parts.push(chunk);
    return Buffer.concat(parts);
  };
  const lastEvent = async () => (await at.events()).sort((a, b) => a.writer.count - b.writer.count).at(-1);

  test.each([9, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1])(
    'a file of %i bytes is kept, listed and opened as it came',
    async (size) => {
      const bytes = pdf(size);
      const kept = await at.documents.add(of, letter(bytes), entry);
      expect(kept).toMatchObject({
        title: 'Referral to cardiology',
        kind: 'referral',
        type: 'application/pdf',
        size,
      });
      expect(await at.documents.list(of)).toEqual([kept]);
      expect((await read(kept.id)).equals(bytes)).toBe(true);
      expect(await uploads()).toEqual([]);
      expect(await lastEvent()).toMatchObject({
        operation: 'addDocument',
        entity: { id: kept.id },
        written: {},
      });
    },
  );

  test('25 MB are kept with a few chunks in memory; one byte more is refused and leaves nothing', async () => {
    const most = pdf(DOCUMENT_LIMITS.bytes);
    const kept = await at.documents.add(of, letter(most), entry);
    expect((await read(kept.id)).equals(most)).toBe(true);
    const before = objects.kept.size;
    const over = Buffer.concat([most, Buffer.from('x')]);
    expect(await codeOfAsync(at.documents.add(of, letter(over), entry))).toBe('DOCUMENT_TOO_LARGE');
    expect(objects.kept.size).toBe(before);
    expect(await uploads()).toEqual([]);
  });

  test('an empty file, another type, and one that turns into another on its way are refused, and leave nothing', async () => {
    for (const [bytes, code] of [
      [Buffer.alloc(0), 'DOCUMENT_EMPTY'],
      [Buffer.from('PK\u0003\u0004'), 'DOCUMENT_TYPE'],
      [Buffer.concat([Buffer.alloc(2 * CHUNK_BYTES, 'a'), Buffer.from([0])]), 'DOCUMENT_TYPE'],
    ] as const)
      expect(await codeOfAsync(at.documents.add(of, letter(bytes), entry))).toBe(code);
    expect([objects.kept.size, await uploads(), await at.documents.list(of)]).toEqual([0, [], []]);
  });

  test('one that takes too long is refused', async () => {
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield pdf(100);
      at.clock.now += DOCUMENT_LIMITS.uploadMs + 1;
      yield Buffer.from('late');
    }
    expect(await codeOfAsync(at.documents.add(of, letter(pdf(1), { bytes: slow() }), entry))).toBe(
      'DOCUMENT_LATE',
    );
    expect([objects.kept.size, await uploads()]).toEqual([0, []]);
  });

  test('nothing that is stored shows a word of it: no title, no kind, no text, no key', async () => {
    const bytes = Buffer.from('Patient has a planted-zanzibarine rash. '.repeat(10));
    const { id } = await at.documents.add(of, letter(bytes, { title: 'planted-title' }), entry);
    const rows = JSON.stringify([...(store.rows.get(at.tenant) ?? [])], (_key, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
    const kept = [...objects.kept]
      .flat()
      .map((one) => one.toString('latin1'))
      .join();
    const leaves = (await at.events()).map((event) => JSON.stringify(event)).join();
    for (const text of [rows, kept, leaves])
      expect(text).not.toMatch(/planted|zanzibarine|referral|application.pdf/);
    expect([...objects.kept.keys()]).toEqual([`${of.tenant}/${of.patient}/${id}/0`]);
  });

  test('another patient’s document, an unknown one, and what is no id are the same: unknown', async () => {
    const other = await at.imported();
    const { id } = await at.documents.add(of, letter(pdf(20)), entry);
    for (const [who, one] of [
      [other, id],
      [of, `doc_${'a'.repeat(22)}`],
      [of, '../../x'],
    ] as const)
      expect(await codeOfAsync(at.documents.open(who, one))).toBe('DOCUMENT_UNKNOWN');
  });

  test('objects that were changed, dropped, exchanged or copied from another document are refused', async () => {
    const bytes = pdf(2 * CHUNK_BYTES + 9);
    const [mine, other] = [
      await at.documents.add(of, letter(bytes), entry),
      await at.documents.add(of, letter(bytes), entry),
    ];
    const name = (id: string, index: number): string => `${of.tenant}/${of.patient}/${id}/${index}`;
    const spoilt = async (change: (kept: Map<string, Buffer>) => void): Promise<string> => {
      const before = new Map(objects.kept);
      change(objects.kept);
      const code = await codeOfAsync(read(mine.id));
      objects.kept.clear();
      for (const [key, value] of before) objects.kept.set(key, value);
      return code;
    };
    const get = (id: string, index: number): Buffer => objects.kept.get(name(id, index)) ?? Buffer.alloc(0);
    const put = (kept: Map<string, Buffer>, index: number, value: Buffer) =>
      kept.set(name(mine.id, index), value);
    const codes = [
      await spoilt((kept) => kept.delete(name(mine.id, 2))),
      await spoilt((kept) => put(kept, 1, get(mine.id, 0))),
      await spoilt((kept) => put(kept, 1, get(other.id, 1))),
      await spoilt((kept) => put(kept, 2, get(mine.id, 2).subarray(0, -1))),
      await spoilt((kept) => put(kept, 0, Buffer.alloc(80, 0xc5))),
      await spoilt((kept) => {
        const flipped = Buffer.from(get(mine.id, 0));
        flipped[1_000] = (flipped[1_000] ?? 0) ^ 1;
        put(kept, 0, flipped);
      }),
    ];
    expect(codes).toEqual(Array(6).fill('DOCUMENT_DAMAGED'));
    expect((await read(mine.id)).equals(bytes)).toBe(true);
  });

  test('a document that is taken out of the store behind the chart’s back is found when the chart is opened', async () => {
    const { id } = await at.documents.add(of, letter(pdf(20)), entry);
    const rows = store.rows.get(at.tenant) as Map<string, unknown>;
    rows.delete(`chartValues/${of.patient}-documents-${id}-file`);
    expect(await codeOfAsync(at.documents.list(of))).toBe('ROLLBACK');
  });

  test('of a process that died before the commit nothing is shown, and a day later nothing is left', async () => {
    objects.failAfter(1);
    const dead = { ...objects, list: async () => Promise.reject(new Error('killed')) };
    const documents = new Documents({ ...at.parts, objects: dead });
    await documents.add(of, letter(pdf(2 * CHUNK_BYTES)), entry).catch(() => undefined);
    objects.failAfter(null);
    expect([objects.kept.size, (await uploads()).length]).toEqual([1, 1]);
    expect(await at.documents.list(of)).toEqual([]);
    const round = () => uploadRound(at.parts, [of.tenant], { onFault: (error) => at.faults.push(error) });
    at.clock.now += UNFINISHED_MS - 1;
    await round();
    expect(objects.kept.size).toBe(1);
    at.clock.now += 1;
    await Promise.all([round(), round()]);
    expect([objects.kept.size, await uploads(), at.faults]).toEqual([0, [], []]);
    expect(await lastEvent()).toMatchObject({ action: 'D', operation: 'dropUpload' });
  });

  test('an upload whose time was swept away does not come into the chart after all', async () => {
    async function* swept(): AsyncGenerator<Uint8Array> {
      yield pdf(100);
      at.clock.now += UNFINISHED_MS;
      await uploadRound(at.parts, [of.tenant], { onFault: (error) => at.faults.push(error) });
    }
    expect(await codeOfAsync(at.documents.add(of, letter(pdf(1), { bytes: swept() }), entry))).toBe(
      'DOCUMENT_LATE',
    );
    expect([objects.kept.size, await uploads(), await at.documents.list(of)]).toEqual([0, [], []]);
  });

  test('an upload that somebody took for dead is not finished, however late its end comes', async () => {
    async function* dropped(): AsyncGenerator<Uint8Array> {
      yield pdf(100);
      const [upload] = await uploads();
      expect(await dropUpload(at.parts, { ...of, document: upload?.id ?? '' })).toBe(true);
    }
    const adding = at.documents.add(of, letter(pdf(1), { bytes: dropped() }), entry);
    expect(await codeOfAsync(adding)).toBe('DOCUMENT_LATE');
    expect(await at.documents.list(of)).toEqual([]);
  });

  test('when the audit log takes no event, nothing is kept', async () => {
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield pdf(100);
      store.refuseWrites('auditEvents');
    }
    expect(await codeOfAsync(at.documents.add(of, letter(pdf(1), { bytes: bytes() }), entry))).toBe(
      'STORE_UNAVAILABLE',
    );
    store.refuseWrites(null);
    expect(await at.documents.list(of)).toEqual([]);
  });
});
