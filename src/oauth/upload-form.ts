import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import { OAuthError } from './errors.ts';

/** A file that arrives with a form. Its name is what somebody called it, and is never to be trusted. */
export interface UploadedFile {
  readonly name: string;
  /** To be read once, as it comes. Throws when the rest does not come. */
  readonly bytes: AsyncIterable<Buffer>;
}

/** How a form with a file is bounded: short fields before one file, whose own bound is its reader's. */
const LIMITS = {
  fields: 8,
  fieldNameSize: 64,
  fieldSize: 2_048,
  files: 1,
  parts: 10,
  headerPairs: 16,
} as const;
/** A file that has not arrived by then does not, in ms. */
const ARRIVAL_MS = 150_000;

/** Whether a form brings a file. */
export const isUpload = (req: IncomingMessage): boolean =>
  /^multipart\/form-data\s*;/i.test(req.headers['content-type'] ?? '');

/**
 * Hands a form to `use` when its file begins; the fields are those that stand before it. Nothing is kept in memory but what
 * `use` does not read fast enough. On Cloud Functions the whole body has been read already, into `rawBody`.
 *
 * @throws OAuthError `UPLOAD_BROKEN` when there is no file, or it is not well-formed; what `use` throws.
 */
export async function readUpload<T>(
  req: IncomingMessage & { rawBody?: unknown },
  use: (fields: URLSearchParams, file: UploadedFile) => Promise<T>,
): Promise<T> {
  const source = Buffer.isBuffer(req.rawBody) ? Readable.from([req.rawBody]) : req;
  const parser = parserOf(req);
  const fields = new URLSearchParams();
  const answered = Promise.withResolvers<T>();
  let file: Readable | null = null;
  const stop = (): void => {
    file?.destroy(broken());
    answered.reject(broken());
  };
  parser.on('field', (name, value, _nameCut, valueCut) => (valueCut ? stop() : fields.append(name, value)));
  parser.on('file', (_field, stream, name) => {
    file = stream;
    // Whoever reads it is told by the reading; when nobody does, that is no fault of the process.
    stream.on('error', () => undefined);
    use(fields, { name: name ?? '', bytes: stream }).then(answered.resolve, answered.reject);
  });
  parser.on('finish', () => (file === null ? stop() : undefined));
  parser.on('error', stop);
  source.once('close', () => (source.readableEnded ? undefined : stop()));
  const timer = setTimeout(stop, ARRIVAL_MS);
  source.pipe(parser);
  try {
    return await answered.promise;
  } finally {
    clearTimeout(timer);
    source.unpipe(parser);
    // Left undestroyed, so that the answer still reaches the client.
    source.resume();
  }
}

function parserOf(req: IncomingMessage): BusboyInstance {
  try {
    return new Busboy({ headers: req.headers as BusboyHeaders, limits: LIMITS });
  } catch {
    throw broken();
  }
}

const broken = (): OAuthError =>
  new OAuthError(
    'UPLOAD_BROKEN',
    'The file did not arrive whole. Nothing was kept; choose it and send it again.',
  );
