import type { ServerResponse } from 'node:http';
import type { Request } from './exchange.ts';

/** Clients that read a challenge inside the tool's result, and would take an HTTP error for a failure. */
const IN_BAND_AGENT = /^openai-mcp\//i;
const IN_BAND_HOSTS: readonly string[] = ['chatgpt.com', 'chat.openai.com', 'openai.com'];

/**
 * How a missing scope is told besides the challenge in the tool's result: HTTP 403 with `WWW-Authenticate` (RFC 6750
 * §3.1, MCP authorization), from which other clients sign in again by themselves. ChatGPT reads the result alone. A
 * batch has no one status, so its answers stay in-band too.
 *
 * @returns what to call with the challenge, before the answer is written; undefined for in-band clients.
 */
export function stepUpByHttp(
  req: Request,
  res: ServerResponse,
  call: { client: string; body: unknown },
): ((challenge: string) => void) | undefined {
  const agent = req.headers['user-agent'] ?? '';
  if (Array.isArray(call.body) || IN_BAND_AGENT.test(agent) || hasInBandHost(call.client)) return undefined;
  return (challenge) => {
    const writeHead = res.writeHead as (status: number, ...rest: unknown[]) => ServerResponse;
    res.setHeader('www-authenticate', challenge);
    res.writeHead = ((_status: number, ...rest: unknown[]) =>
      writeHead.call(res, 403, ...rest)) as ServerResponse['writeHead'];
  };
}

/** A client that is known by its document (CIMD) has that document's address as its id. */
function hasInBandHost(client: string): boolean {
  const host = URL.parse(client)?.hostname;
  return host !== undefined && IN_BAND_HOSTS.includes(host);
}
