import { type FlowFacts, gatherFlow } from './flow-facts.ts';
import { gatherTokenFacts, type Held, type TokenFacts } from './token-facts.ts';
import { type Reply, rpc, type Wire } from './wire.ts';

/** Everything that was asked and what came back; null where nothing came or nothing could be asked. */
export interface Facts {
  /** The address, exactly as it was typed. */
  readonly typed: string;
  readonly anonymous: Reply | null;
  /** The same request as ChatGPT's own agent sends it. */
  readonly asChatGpt: Reply | null;
  readonly badToken: Reply | null;
  readonly tokenInQuery: Reply | null;
  readonly get: Reply | null;
  /** Protected-resource metadata at the origin's root. */
  readonly rootMetadata: Reply | null;
  /** The same with the address's path behind it (RFC 9728 §3.1). */
  readonly pathMetadata: Reply | null;
  /** Whatever the challenge named. */
  readonly namedMetadata: Reply | null;
  /** The first authorization server that the metadata names. */
  readonly issuer: string | null;
  readonly issuerMetadata: Reply | null;
  readonly keys: Reply | null;
  readonly flow: FlowFacts | null;
  readonly token: TokenFacts | null;
}

/** What the examination is given beside the address. */
export interface GatherOptions {
  readonly typed: string;
  readonly wire: Wire;
  /** False leaves out registering a client, which a server keeps for a while. */
  readonly register: boolean;
  /** A connection to examine from the inside. */
  readonly held: Held | null;
}

export const CHATGPT_AGENT = 'openai-mcp/1.0.0';
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'chartseal-doctor', version: '1.0.0' },
  },
};

/** Asks everything, what is independent at once. */
export async function gather(options: GatherOptions): Promise<Facts> {
  const { typed, wire, held } = options;
  const resource = await gatherResource(typed, wire);
  const metadata = [resource.namedMetadata, resource.pathMetadata, resource.rootMetadata].find(
    (reply) => reply?.json?.['authorization_servers'] !== undefined,
  );
  const servers = metadata?.json?.['authorization_servers'];
  const issuer = Array.isArray(servers) && typeof servers[0] === 'string' ? servers[0] : null;
  const issuerMetadata = issuer === null ? null : await findIssuerMetadata(issuer, wire);
  const jwks = issuerMetadata?.json?.['jwks_uri'];
  const scopes = metadata?.json?.['scopes_supported'];
  const [keys, flow, token] = await Promise.all([
    typeof jwks === 'string' ? wire.ask(jwks) : null,
    issuerMetadata?.json == null
      ? null
      : gatherFlow({
          ...options,
          metadata: issuerMetadata.json,
          scopes: Array.isArray(scopes) ? scopes.map(String) : [],
        }),
    held === null ? null : gatherTokenFacts(typed, wire, { held, metadata: issuerMetadata?.json ?? {} }),
  ]);
  return { typed, ...resource, issuer, issuerMetadata, keys, flow, token };
}

async function gatherResource(typed: string, wire: Wire) {
  const { origin, pathname } = new URL(typed);
  const inQuery = new URL(typed);
  inQuery.searchParams.set('access_token', 'made-up');
  const suffix = pathname === '/' ? '' : pathname;
  const wellKnown = `${origin}/.well-known/oauth-protected-resource`;
  const [anonymous, asChatGpt, badToken, tokenInQuery, get, rootMetadata, pathMetadata] = await Promise.all([
    wire.ask(typed, rpc(INITIALIZE)),
    wire.ask(typed, rpc(INITIALIZE, { 'user-agent': CHATGPT_AGENT })),
    wire.ask(typed, rpc(INITIALIZE, { authorization: 'Bearer made-up' })),
    wire.ask(inQuery, rpc(INITIALIZE)),
    wire.ask(typed, { headers: { accept: 'text/event-stream' } }),
    wire.ask(wellKnown),
    wire.ask(wellKnown + suffix),
  ]);
  const named = challengeParameter(anonymous, 'resource_metadata');
  const namedMetadata = named === null || URL.parse(named) === null ? null : await wire.ask(named);
  return { anonymous, asChatGpt, badToken, tokenInQuery, get, rootMetadata, pathMetadata, namedMetadata };
}

/** A parameter of the `WWW-Authenticate: Bearer` challenge; null when there is none. */
export function challengeParameter(reply: Reply | null, name: string): string | null {
  const challenge = reply?.headers.get('www-authenticate') ?? '';
  if (!/^bearer\b/i.test(challenge)) return null;
  return new RegExp(`\\b${name}="([^"]*)"`).exec(challenge)?.[1] ?? null;
}

/** RFC 8414 §3.1 puts the path behind, OpenID Connect Discovery before the well-known name: clients try these. */
async function findIssuerMetadata(issuer: string, wire: Wire): Promise<Reply | null> {
  const url = URL.parse(issuer);
  if (url === null) return null;
  const path = url.pathname === '/' ? '' : url.pathname.replace(/\/$/, '');
  const tries = [
    `${url.origin}/.well-known/oauth-authorization-server${path}`,
    `${url.origin}/.well-known/openid-configuration${path}`,
    `${url.origin}${path}/.well-known/openid-configuration`,
  ];
  let last: Reply | null = null;
  for (const address of new Set(tries)) {
    last = (await wire.ask(address)) ?? last;
    if (last?.status === 200 && last.json !== null) return last;
  }
  return last;
}
