import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { CryptoError } from '../../crypto/errors.ts';
import type { OpenChart, ValueName } from '../../crypto/open-chart.ts';
import type { PatientRef } from '../../crypto/patient-keys.ts';
import type { SealedCharts } from '../../crypto/sealed-charts.ts';
import { MAX_PLAINTEXT } from '../../crypto/sealed-value.ts';
import { collection, type Ref, type Row, ref } from '../../kernel/collection.ts';
import { randomId } from '../../kernel/ids.ts';
import type { Reader, Store, TenantStore, Transaction } from '../../kernel/store.ts';
import { ExportError } from './errors.ts';
import { EXPORT_FILE_IDS, type ExportFile } from './files.ts';

/** A finished export, id = request. `files`: how many chunks each has. */
export const exports = collection('exports', {
  patient: 'text',
  chunkSet: 'text',
  files: 'json',
  expiresAt: 'instant',
});

/** A sealed part of an export's file, compressed; id `{chunk set}-{file}-{index}`. */
export const exportChunks = collection(
  'exportChunks',
  { patient: 'text', request: 'text', sealed: 'bytes' },
  { indexed: ['patient', 'request'] },
);

/** How many chunks each file has. */
export type ChunkCounts = Readonly<Record<ExportFile, number>>;

const SCHEMA = 1;
/** Chunks in one transaction: 3 MiB of a request's 10. */
const AT_ONCE = 6;
/** Chunks that are looked through at once, of half a MiB each. */
const PAGE = 20;
/** What unpacks to more is none of ours. */
const MAX_FILE = 256 * 1024 * 1024;
const pack = promisify(gzip);
const unpack = promisify(gunzip);

const nameOf = (request: string, file: ExportFile): ValueName => ({
  collection: 'exports',
  document: `${request}-${file}`,
  compartment: 'file',
});

const chunkRef = (chunkSet: string, file: ExportFile, index: number): Ref<typeof exportChunks.columns> =>
  ref(exportChunks, `${chunkSet}-${file}-${index}`);

/**
 * Seals the files of an export under the patient's key, chunk by chunk, in as many transactions as that takes. Nothing
 * names the chunks until the request is `ready`: a job that dies leaves only chunks, which {@link dropStrayChunks} takes away.
 */
export async function sealFiles(
  charts: SealedCharts,
  at: { of: PatientRef; request: string },
  files: Readonly<Record<ExportFile, string>>,
): Promise<{ chunkSet: string; counts: ChunkCounts }> {
  const chunkSet = randomId('set');
  const counts: [ExportFile, number][] = [];
  for (const file of EXPORT_FILE_IDS) {
    const packed = await pack(files[file]);
    const chunkCount = Math.max(1, Math.ceil(packed.length / MAX_PLAINTEXT));
    for (let first = 0; first < chunkCount; first += AT_ONCE) {
      const indices = Array.from({ length: Math.min(AT_ONCE, chunkCount - first) }, (_, n) => first + n);
      await charts.transact(at.of, async (chart, tx) => {
        for (const chunkIndex of indices) {
          const part = packed.subarray(chunkIndex * MAX_PLAINTEXT, (chunkIndex + 1) * MAX_PLAINTEXT);
          const chunk = { chunkSet, chunkIndex, chunkCount };
          const sealed = await chart.sealAside(nameOf(at.request, file), part, { schema: SCHEMA, chunk });
          tx.create(chunkRef(chunkSet, file, chunkIndex), {
            patient: at.of.patient,
            request: at.request,
            sealed,
          });
        }
      });
    }
    packed.fill(0);
    counts.push([file, chunkCount]);
  }
  return { chunkSet, counts: Object.fromEntries(counts) as ChunkCounts };
}

/**
 * One file in clear. Commit the event of the disclosure before you hand it out.
 *
 * @throws ExportError `EXPORT_GONE` when the export, a part of it or its key is no more.
 */
export async function openFile(
  parts: { store: Store; charts: SealedCharts },
  asked: { of: PatientRef; request: string; file: ExportFile; now: number },
): Promise<Buffer> {
  const row = await requireExport(parts.store, asked);
  const chunkCount = (row.files as ChunkCounts)[asked.file] ?? 0;
  if (chunkCount === 0) throw gone();
  try {
    const packed = await openChunks(parts, asked, { chunkSet: row.chunkSet, chunkCount });
    return await unpack(packed, { maxOutputLength: MAX_FILE });
  } catch (error) {
    // The key was retired since: nothing reseals what stands beside the chart.
    if (error instanceof CryptoError && error.code === 'KEY_MISSING') throw gone();
    throw error;
  }
}

/** @throws ExportError `EXPORT_GONE` when there is no finished export of this request that is still kept. */
export async function requireExport(
  store: Store,
  { of, request, now }: { of: PatientRef; request: string; now: number },
): Promise<Row<typeof exports.columns>> {
  const [row] = await store.tenant(of.tenant).get(ref(exports, request));
  if (row === null || row.patient !== of.patient || row.expiresAt <= now) throw gone();
  return row;
}

async function openChunks(
  { store, charts }: { store: Store; charts: SealedCharts },
  { of, request, file }: { of: PatientRef; request: string; file: ExportFile },
  { chunkSet, chunkCount }: { chunkSet: string; chunkCount: number },
): Promise<Buffer> {
  const read = await charts.read(of, []);
  if (read === null) throw gone();
  const reader = store.tenant(of.tenant);
  const parts: Buffer[] = [];
  for (let chunkIndex = 0; chunkIndex < chunkCount; chunkIndex += 1) {
    const place = { chunkSet, chunkIndex, chunkCount };
    parts.push(await openChunk(reader, read.chart, { request, file, place }));
  }
  return Buffer.concat(parts);
}

async function openChunk(
  reader: Reader,
  chart: OpenChart,
  at: {
    request: string;
    file: ExportFile;
    place: { chunkSet: string; chunkIndex: number; chunkCount: number };
  },
): Promise<Buffer> {
  const [row] = await reader.get(chunkRef(at.place.chunkSet, at.file, at.place.chunkIndex));
  if (row === null) throw gone();
  return chart.openAside(nameOf(at.request, at.file), row.sealed, { schema: SCHEMA, chunk: at.place });
}

/** Seals a chunk of a finished export anew when its key version must be left behind. True when it put it into `tx`. */
export async function resealChunk(
  tx: Transaction,
  chart: OpenChart,
  { id, row, of }: { id: string; row: Row<typeof exportChunks.columns>; of: Row<typeof exports.columns> },
): Promise<boolean> {
  const [file, index] = id.slice(of.chunkSet.length + 1).split('-') as [ExportFile, string];
  const chunkCount = (of.files as ChunkCounts)[file] ?? 0;
  if (!id.startsWith(`${of.chunkSet}-`) || chunkCount === 0 || !chart.isStaleAside(row.sealed)) return false;
  const at = { schema: SCHEMA, chunk: { chunkSet: of.chunkSet, chunkIndex: Number(index), chunkCount } };
  const name = nameOf(row.request, file);
  const part = await chart.openAside(name, row.sealed, at);
  tx.put(ref(exportChunks, id), { ...row, sealed: await chart.sealAside(name, part, at) });
  part.fill(0);
  return true;
}

/** The row that names a finished export. */
export const exportRow = (
  of: PatientRef,
  sealed: { chunkSet: string; counts: ChunkCounts },
  expiresAt: number,
): Row<typeof exports.columns> => ({
  patient: of.patient,
  chunkSet: sealed.chunkSet,
  files: { ...sealed.counts },
  expiresAt,
});

/** Deletes an export and its chunks. */
export async function dropExport(store: TenantStore, request: string): Promise<void> {
  await store.transact(async (tx) => tx.delete(ref(exports, request)));
  await dropStrayChunks(store, request);
}

/** Deletes the chunks of a request that its finished export does not name: what a dead or slower job left. */
export async function dropStrayChunks(store: TenantStore, request: string): Promise<void> {
  const [row] = await store.get(ref(exports, request));
  const isStray = ({ id }: { id: string }): boolean => row === null || !id.startsWith(`${row.chunkSet}-`);
  for (let after: string | undefined; ; ) {
    const page = await store.list(exportChunks, {
      equals: { request },
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    const strays = page.filter(isStray);
    if (strays.length > 0)
      await store.transact(async (tx) => {
        for (const { id } of strays) tx.delete(ref(exportChunks, id));
      });
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

const gone = (): ExportError =>
  new ExportError(
    'EXPORT_GONE',
    'This export is no longer kept. Ask for it again: it is made within minutes.',
  );
