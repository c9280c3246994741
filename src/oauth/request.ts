import { IncomingMessage } from 'node:http';
import { OAuthError } from './errors.ts';

/** The largest body that any address here takes, in bytes. */
const MAX_BODY = 48 * 1024;

/**
 * The whole body of a request. Cloud Functions has read it already and left the bytes in `rawBody`.
 *
 * @throws OAuthError `REQUEST_BODY` over 48 KiB.
 */
export async function bodyOf(req: IncomingMessage & { rawBody?: unknown }): Promise<Buffer> {
  if (Buffer.isBuffer(req.rawBody)) return checked(req.rawBody);
  const chunks: Buffer[] = [];
  let length = 0;
  // Left undestroyed, so that the refusal of a body that is too large still reaches the client.
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY) break;
    chunks.push(chunk);
  }
  if (length > MAX_BODY) throw tooLarge();
  return Buffer.concat(chunks);
}

/**
 * The fields of a form.
 *
 * @throws OAuthError `REQUEST_BODY` over 48 KiB.
 */
export async function formOf(req: IncomingMessage & { rawBody?: unknown }): Promise<URLSearchParams> {
  return new URLSearchParams((await bodyOf(req)).toString('utf8'));
}

/**
 * The address that a request came from. Only the entries of `X-Forwarded-For` that the platform's own `hops` wrote
 * are believed: what stands before them is the client's word.
 */
export function addressOf(req: IncomingMessage, hops: number): string {
  const forwarded = String(req.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((entry) => entry.trim());
  const seen = hops === 0 ? undefined : forwarded.at(-hops);
  return seen === undefined || seen === '' ? (req.socket.remoteAddress ?? 'unknown') : seen;
}

const tooLarge = (): OAuthError => new OAuthError('REQUEST_BODY', 'The request body is too large.');

function checked(body: Buffer): Buffer {
  if (body.length > MAX_BODY) throw tooLarge();
  return body;
}

/**
 * The same request with another address, headers and body. The library gets this copy and reads it as if it came
 * from the wire, whatever ran before, and the caller's request stays as it was.
 */
export function rewritten(
  req: IncomingMessage,
  changes: { url: string; headers: Record<string, string | undefined>; body: Buffer },
): IncomingMessage {
  const copy = new IncomingMessage(req.socket);
  copy.method = req.method;
  copy.url = changes.url;
  copy.httpVersion = req.httpVersion;
  copy.httpVersionMajor = req.httpVersionMajor;
  copy.httpVersionMinor = req.httpVersionMinor;
  const headers = { ...req.headers, ...changes.headers };
  delete headers['transfer-encoding'];
  delete headers['content-length'];
  if (changes.body.length > 0) headers['content-length'] = String(changes.body.length);
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) copy.headers[name] = value;
  copy.push(changes.body.length > 0 ? changes.body : null);
  if (changes.body.length > 0) copy.push(null);
  // Without this the end of the copy counts as a broken request and takes the socket with it.
  copy.complete = true;
  return copy;
}
