import { type Reply, rpc, type Wire } from './wire.ts';

/** A connection that the examination may use. */
export interface Held {
  readonly accessToken: string;
  /** With its client, to see whether parallel refreshes both go on. */
  readonly refresh: { readonly token: string; readonly clientId: string } | null;
}

/** What the server does for somebody who is signed in. */
export interface TokenFacts {
  /** The token's payload, if it can be read; its values appear in no report. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  readonly tools: Reply | null;
  /** Two refreshes with one token at once; empty when there was none. */
  readonly refreshes: readonly (Reply | null)[];
}

export async function gatherTokenFacts(
  typed: string,
  wire: Wire,
  { held, metadata }: { held: Held; metadata: Readonly<Record<string, unknown>> },
): Promise<TokenFacts> {
  const authorization = `Bearer ${held.accessToken}`;
  const list = rpc(
    { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} },
    { authorization, 'mcp-protocol-version': '2025-11-25' },
  );
  const tools = await wire.ask(typed, list);
  return { claims: claimsOf(held.accessToken), tools, refreshes: await refreshTwice(wire, held, metadata) };
}

async function refreshTwice(
  wire: Wire,
  { refresh }: Held,
  { token_endpoint: endpoint }: Readonly<Record<string, unknown>>,
): Promise<(Reply | null)[]> {
  if (refresh === null || typeof endpoint !== 'string') return [];
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refresh.token,
    client_id: refresh.clientId,
  });
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  };
  return Promise.all([wire.ask(endpoint, init), wire.ask(endpoint, init)]);
}

function claimsOf(token: string): TokenFacts['claims'] {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' ? (claims as TokenFacts['claims']) : null;
  } catch {
    return null;
  }
}
