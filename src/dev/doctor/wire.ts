/** One answer, read to its end or to the bound. */
export interface Reply {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; null when it is none. */
  readonly json: Readonly<Record<string, unknown>> | null;
}

/** Sends bounded requests until the time for all of them is over. */
export interface Wire {
  /** Null when nothing came: refused, cut off, too slow. Follows no redirect. */
  ask(address: string | URL, init?: RequestInit): Promise<Reply | null>;
}

/** Milliseconds for one request and for the whole examination; bytes of one answer that are read. */
export const BOUNDS = { request: 8_000, total: 60_000, size: 512 * 1024 } as const;

/** @param bounds shorter ones, for tests. */
export function openWire(bounds: { request: number; total: number } = BOUNDS): Wire {
  const end = AbortSignal.timeout(bounds.total);
  return {
    ask: async (address, init = {}) => {
      try {
        const signal = AbortSignal.any([end, AbortSignal.timeout(bounds.request)]);
        const response = await fetch(address, { ...init, redirect: 'manual', signal });
        const text = await textOf(response);
        const { status, headers } = response;
        return { url: String(address), status, headers, text, json: jsonOf(text) };
      } catch {
        return null;
      }
    },
  };
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > BOUNDS.size) break;
  }
  return text;
}

function jsonOf(text: string): Reply['json'] {
  try {
    const value: unknown = JSON.parse(eventData(text));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Reply['json'])
      : null;
  } catch {
    return null;
  }
}

/** A server may answer a call as an event stream with one event. */
const eventData = (text: string): string => /^data: ?(\{.*\})\s*$/m.exec(text)?.[1] ?? text;

/** A JSON-RPC request as an MCP client posts it. */
export const rpc = (body: object, headers: Readonly<Record<string, string>> = {}): RequestInit => ({
  method: 'POST',
  headers: {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...headers,
  },
  body: JSON.stringify(body),
});
