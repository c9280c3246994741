import type { IncomingMessage, ServerResponse } from 'node:http';
import { KmsError } from './errors.ts';

/** The largest request: a 32 KiB policy, escaped, and room to spare. */
const BODY_LIMIT = 131_072;

const LOOPBACK_HOST = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/;

/** One HTTP answer. */
export interface Reply {
  readonly status: number;
  readonly type: 'application/x-amz-json-1.1' | 'application/json' | 'text/xml';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * False for a request that a web page may have made: one with an `Origin`, or one for a host name that is not
 * the loopback's own (DNS rebinding).
 */
export function isLocal(request: IncomingMessage): boolean {
  return request.headers.origin === undefined && LOOPBACK_HOST.test(request.headers.host ?? '');
}

/** @throws KmsError `RequestEntityTooLargeException` beyond 128 KiB. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= BODY_LIMIT) chunks.push(chunk);
  }
  if (length > BODY_LIMIT) {
    throw new KmsError('RequestEntityTooLargeException', `The request is over ${BODY_LIMIT} bytes.`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @throws KmsError `SerializationException` unless the text is one JSON object. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new KmsError('SerializationException', 'The request body is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new KmsError('SerializationException', 'The request body is not a JSON object.');
  }
  return value as Record<string, unknown>;
}

/** A plain JSON answer, for the admin addresses. */
export const json = (status: number, value: unknown): Reply => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
});

export function send(response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, {
    'content-type': reply.type,
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    ...reply.headers,
  });
  response.end(reply.body);
}
