import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pageHeaders } from './pages.ts';

/** A file to be saved, in place of a page. Nothing of it may go out before its event is committed. */
export interface OwnFile {
  readonly file: { readonly name: string; readonly type: string };
  /** Whole, or as it is opened: what fails then breaks the answer off. */
  readonly bytes: Buffer | AsyncIterable<Uint8Array>;
  /** Bytes, when it is known before. */
  readonly size?: number;
}

/** Nothing in it runs, whatever it is: it is saved, not shown, under the type that we say. */
const POLICY = "default-src 'none'; sandbox";

/** @throws what opening the bytes throws, once the answer is broken off, so that nobody takes a part for the whole. */
export async function sendFile(res: ServerResponse, { file, bytes, size }: OwnFile): Promise<void> {
  const length = Buffer.isBuffer(bytes) ? bytes.length : size;
  res.writeHead(200, {
    ...pageHeaders({ policy: POLICY }),
    'content-type': file.type,
    ...(length === undefined ? {} : { 'content-length': length }),
    'content-disposition': dispositionOf(file.name),
  });
  if (Buffer.isBuffer(bytes)) res.end(bytes);
  else await pipeline(Readable.from(bytes, { objectMode: false }), res);
}

/** RFC 6266: a name in ASCII, and in full as RFC 8187 writes it. */
function dispositionOf(name: string): string {
  const ascii = name.replace(/[^A-Za-z0-9._-]/g, '_');
  const full = encodeURIComponent(name).replace(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${ascii}"${ascii === name ? '' : `; filename*=UTF-8''${full}`}`;
}
