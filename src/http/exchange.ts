import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from './errors.ts';

/** A request of node, or of Cloud Functions, which has read the body already. */
export type Request = IncomingMessage & { readonly rawBody?: unknown };

/** The largest body of an MCP request, in bytes. */
export const MAX_BODY = 1_048_576;

/** On every answer. Pages of the authorization server add their own content security policy. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'private, no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'x-content-type-options': 'nosniff',
};

/**
 * The JSON body of a request.
 *
 * @throws HttpError `BODY_TOO_LARGE` over 1 MiB, `BODY_NOT_JSON`.
 */
export async function readJson(req: Request): Promise<unknown> {
  const bytes = await readBody(req);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new HttpError('BODY_NOT_JSON', 'The body is not JSON. Send one JSON-RPC message.');
  }
}

async function readBody(req: Request): Promise<Buffer> {
  if (Buffer.isBuffer(req.rawBody)) return checked(req.rawBody);
  if (Number(req.headers['content-length'] ?? 0) > MAX_BODY) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function checked(body: Buffer): Buffer {
  if (body.length > MAX_BODY) throw tooLarge();
  return body;
}

const tooLarge = (): HttpError =>
  new HttpError('BODY_TOO_LARGE', 'The body is over 1 MiB. Send less in one call.');

/** Sends JSON with the security headers. */
export function sendJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (res.headersSent) {
    res.end();
    return;
  }
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, ...headers });
  res.end(bytes);
}
