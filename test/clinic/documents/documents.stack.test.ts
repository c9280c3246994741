import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHUNK_BYTES } from '../../../src/clinic/documents/sealed-chunks.ts';
import { documentUploads, UNFINISHED_MS, uploadRound } from '../../../src/clinic/documents/uploads.ts';
import type { PatientRef } from '../../../src/crypto/patient-keys.ts';
import type { Store } from '../../../src/kernel/store.ts';
import { openObjectFolder } from '../../../src/storage/objects/folder.ts';
import { contentOf, everyRow, filesBelow, found } from '../../attacks/traces.ts';
import { openStore } from '../../audit/stores.ts';
import { ENTRY, openPrivacy } from '../../lifecycle/house.ts';
import { addressOf } from '../../stack/addresses.ts';
import { describeOnBothStores } from '../../stack/needs.ts';
import type { Uploading } from './uploading-process.ts';

const SCRIPT = join(import.meta.dirname, 'uploading-process.ts');
const PLANTED = ['planted', 'zanzibarine'];

describeOnBothStores(
  (store) => `documents on ${store}`,
  (kind) => {
    let store: Store;
    let folder: string;
    let at: Awaited<ReturnType<typeof openPrivacy>>;
    let of: PatientRef;
    beforeAll(async () => {
      store = await openStore(kind);
      folder = mkdtempSync(join(tmpdir(), 'chartseal-documents-'));
      at = await openPrivacy(store, { objects: openObjectFolder(folder) });
      of = await at.imported();
    });
    afterAll(async () => {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const upload = async (die: Uploading['die']): Promise<NodeJS.Signals | null> => {
      const where = { ...of, objects: folder, store: { kind, address: addressOf(kind) } };
      const work: Uploading = { ...where, die };
      const child = spawn(process.execPath, [SCRIPT], {
        env: { ...process.env, UPLOADING: JSON.stringify(work) },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
      if (signal === null) expect(code).toBe(0);
      return signal;
    };
    const uploads = () => at.reader.list(documentUploads, { limit: 10 });

    test('a server that is killed shows nothing before its event, and the round leaves nothing of it', async () => {
      expect(await upload('arriving')).toBe('SIGKILL');
      expect([filesBelow(folder).length, (await uploads()).length]).toEqual([2, 1]);
      // A transaction of Firestore whose client dies inside it holds its rows for up to a minute.
      if (kind === 'postgres') expect(await upload('inside')).toBe('SIGKILL');
      expect(await at.documents.list(of)).toEqual([]);
      expect((await at.events()).filter(({ action }) => action === 'C')).toHaveLength(1);
      at.clock.now += UNFINISHED_MS;
      await uploadRound(at.parts, [of.tenant], { onFault: (error) => at.faults.push(error) });
      expect([filesBelow(folder), await uploads(), at.faults]).toEqual([[], [], []]);
      expect(await upload('after')).toBe('SIGKILL');
      const [kept] = await at.documents.list(of);
      expect([kept?.title, await uploads()]).toEqual(['planted-title', []]);
      const parts: Buffer[] = [];
      for await (const chunk of (await at.documents.open(of, kept?.id ?? '')).bytes) parts.push(chunk);
      expect(Buffer.concat(parts).length).toBe(1_200_000);
      expect(found(PLANTED, contentOf(filesBelow(folder)))).toEqual([]);
      expect(found(PLANTED, await everyRow(store, of.tenant))).toEqual([]);
    });

    test('several at once come into the chart all, each once', async () => {
      const before = (await at.documents.list(of)).length;
      const bytes = async function* (size: number): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(size, 'x');
      };
      const added = await Promise.all(
        [1, 2, 3].map((n) =>
          at.documents.add(
            of,
            { title: `T${n}`, kind: 'other', addedBy: 'patient', bytes: bytes(n * CHUNK_BYTES) },
            () => ({
              ...ENTRY,
              action: 'C',
            }),
          ),
        ),
      );
      expect(new Set(added.map(({ id }) => id)).size).toBe(3);
      expect(await at.documents.list(of)).toHaveLength(before + 3);
      expect(await uploads()).toEqual([]);
    });
  },
);
