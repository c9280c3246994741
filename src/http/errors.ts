import { ChartsealError } from '../kernel/errors.ts';

/** Codes of what is wrong with a request before any tool sees it. */
export type HttpErrorCode =
  | 'BODY_TOO_LARGE'
  | 'BODY_NOT_JSON'
  | 'METHOD_NOT_ALLOWED'
  | 'ORIGIN_REFUSED'
  | 'NO_SUCH_ADDRESS';

const STATUS: Readonly<Record<HttpErrorCode, number>> = {
  BODY_TOO_LARGE: 413,
  BODY_NOT_JSON: 400,
  METHOD_NOT_ALLOWED: 405,
  ORIGIN_REFUSED: 403,
  NO_SUCH_ADDRESS: 404,
};

/** JSON-RPC 2.0 §5.1: parse error for what is not JSON, invalid request for the rest. */
const RPC_CODE: Readonly<Partial<Record<HttpErrorCode, number>>> = { BODY_NOT_JSON: -32700 };

/** A request that cannot be served. */
export class HttpError extends ChartsealError<HttpErrorCode> {}

/** How an error leaves over HTTP: status and a JSON-RPC error body with a stable code in `data`. */
export function wireOf(error: unknown): { status: number; body: Record<string, unknown> } {
  if (error instanceof HttpError) {
    return {
      status: STATUS[error.code],
      body: rpcError(RPC_CODE[error.code] ?? -32600, error.message, error.code),
    };
  }
  if (error instanceof ChartsealError && error.retryable) {
    return { status: 503, body: rpcError(-32603, error.message, error.code) };
  }
  return { status: 500, body: rpcError(-32603, 'Something went wrong on our side. Try again.', 'INTERNAL') };
}

/** A JSON-RPC error answer to a request whose id is not known. */
export function rpcError(code: number, message: string, name: string): Record<string, unknown> {
  return { jsonrpc: '2.0', id: null, error: { code, message, data: { code: name } } };
}
