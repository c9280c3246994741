import { createHash, randomBytes } from 'node:crypto';
import type { Reply, Wire } from './wire.ts';

/** What the authorization server does with a client that it does not know. */
export interface FlowFacts {
  /** Registration with ChatGPT's redirect, no secret wanted, one narrow scope. */
  readonly registration: Reply | null;
  /** Registration with a redirect to a stranger's site. */
  readonly foreignRegistration: Reply | null;
  /** Where the authorization requests of these changes ended; all null without a client. */
  readonly sound: Reply | null;
  /** The page that the sound one leads to. */
  readonly page: Reply | null;
  readonly withoutScope: Reply | null;
  readonly withoutPkce: Reply | null;
  readonly plainPkce: Reply | null;
  readonly otherResource: Reply | null;
  readonly otherRedirect: Reply | null;
  /** One that must be answered with an error at the client's redirect. */
  readonly mustFail: Reply | null;
}

/** A redirect that ChatGPT uses. Nobody waits there for these requests. */
export const CHATGPT_REDIRECT = 'https://chatgpt.com/connector/oauth/chartseal-doctor';
export const STRANGER = 'https://stranger.example/callback';

const NOTHING: FlowFacts = {
  registration: null,
  foreignRegistration: null,
  sound: null,
  page: null,
  withoutScope: null,
  withoutPkce: null,
  plainPkce: null,
  otherResource: null,
  otherRedirect: null,
  mustFail: null,
};

/** What {@link gatherFlow} is given. */
interface FlowOptions {
  readonly typed: string;
  readonly wire: Wire;
  readonly register: boolean;
  /** The authorization server's metadata. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly scopes: readonly string[];
}

/** Registers a client as ChatGPT would, and sends authorization requests that nobody completes. */
export async function gatherFlow(options: FlowOptions): Promise<FlowFacts> {
  const { wire, metadata, scopes } = options;
  const { registration_endpoint: register, authorization_endpoint: authorize } = metadata;
  if (!options.register || typeof register !== 'string') return NOTHING;
  const [registration, foreignRegistration] = await Promise.all([
    wire.ask(register, registrationOf(CHATGPT_REDIRECT, scopes[0])),
    wire.ask(register, registrationOf(STRANGER)),
  ]);
  const clientId = registration?.json?.['client_id'];
  const known = { ...NOTHING, registration, foreignRegistration };
  if (typeof clientId !== 'string' || typeof authorize !== 'string') return known;
  const ask = (changes: Record<string, string | null>): Promise<Reply | null> =>
    wire.ask(requestOf(authorize, { clientId, typed: options.typed, scopes, changes }));
  const [sound, withoutScope, withoutPkce, plainPkce, otherResource, otherRedirect, mustFail] =
    await Promise.all([
      ask({}),
      ask({ scope: null }),
      ask({ code_challenge: null, code_challenge_method: null }),
      ask({ code_challenge_method: 'plain' }),
      ask({ resource: 'https://stranger.example/mcp' }),
      ask({ redirect_uri: STRANGER }),
      ask({ prompt: 'none' }),
    ]);
  const page = await pageOf(wire, sound);
  return {
    ...known,
    sound,
    page,
    withoutScope,
    withoutPkce,
    plainPkce,
    otherResource,
    otherRedirect,
    mustFail,
  };
}

/** The sign-in page is behind a redirect of the server's own, with its cookie. */
async function pageOf(wire: Wire, sound: Reply | null): Promise<Reply | null> {
  const next = destinationOf(sound);
  if (sound === null || next === null || next.origin !== new URL(sound.url).origin) return sound;
  const cookie = sound.headers.getSetCookie().map((line) => line.split(';')[0]);
  return wire.ask(next, { headers: { cookie: cookie.join('; ') } });
}

const registrationOf = (redirect: string, scope?: string): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    client_name: 'chartseal doctor',
    redirect_uris: [redirect],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    ...(scope === undefined ? {} : { scope }),
  }),
});

function requestOf(
  authorize: string,
  request: {
    clientId: string;
    typed: string;
    scopes: readonly string[];
    changes: Readonly<Record<string, string | null>>;
  },
): URL {
  const url = new URL(authorize);
  const challenge = createHash('sha256').update(randomBytes(32).toString('base64url')).digest('base64url');
  const params: Record<string, string | null> = {
    response_type: 'code',
    client_id: request.clientId,
    redirect_uri: CHATGPT_REDIRECT,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    resource: request.typed,
    state: 'chartseal-doctor',
    scope: request.scopes.join(' ') || null,
    ...request.changes,
  };
  for (const [name, value] of Object.entries(params)) if (value !== null) url.searchParams.set(name, value);
  return url;
}

/** Where a reply sends the browser; null when it sends it nowhere. */
export function destinationOf(reply: Reply | null): URL | null {
  const location = reply?.headers.get('location') ?? null;
  return location === null || reply === null ? null : URL.parse(location, reply.url);
}

/** The parameters with which a reply sends the browser back to the client; null when it does not. */
export function returnedTo(reply: Reply | null, redirect: string): URLSearchParams | null {
  const url = destinationOf(reply);
  if (url === null || `${url.origin}${url.pathname}` !== redirect) return null;
  return url.search === '' ? new URLSearchParams(url.hash.slice(1)) : url.searchParams;
}
