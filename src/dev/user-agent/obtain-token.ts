import { createHash, randomBytes } from 'node:crypto';
import { StackError } from '../errors.ts';
import { authorizeAs } from './authorize-as.ts';

/** Who asks for a token, and from which local stack. */
export interface ObtainTokenOptions {
  readonly origin: string;
  readonly authEmulatorUrl: string;
  readonly email: string;
  readonly password: string;
  readonly scope?: string;
}

/** RFC 6749 §5.1, and which client asked. */
export interface TokenAnswer {
  readonly client_id: string;
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope?: string;
  readonly refresh_token?: string;
}

const REDIRECT = 'http://127.0.0.1:9/callback';
const DEADLINE_MS = 15_000;

/**
 * Goes through the whole flow as a client that is new to the server: registration (RFC 7591), authorization code
 * with PKCE (RFC 7636), a person who signs in and consents, and the exchange.
 *
 * @throws StackError `NO_SIGN_IN`, `NO_GRANT`.
 */
export async function obtainToken(options: ObtainTokenOptions): Promise<TokenAnswer> {
  const { origin } = options;
  const client = (await post(
    `${origin}/oauth/register`,
    'application/json',
    JSON.stringify({
      client_name: 'chartseal token',
      redirect_uris: [REDIRECT],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    }),
  )) as { client_id: string };
  const verifier = randomBytes(32).toString('base64url');
  const authorizeUrl = new URL(`${origin}/oauth/authorize`);
  authorizeUrl.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: REDIRECT,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource: `${origin}/mcp`,
    ...(options.scope === undefined ? {} : { scope: options.scope }),
  }).toString();
  const end = await authorizeAs({ ...options, authorizeUrl, consent: 'allow' });
  const refused = end.searchParams.get('error');
  if (refused !== null)
    throw new StackError(
      'NO_GRANT',
      `The authorization server answered "${refused}": nothing that was asked is open to this person's role. ` +
        'An auditor or administrator works on the pages (/console, /emergency), not through tools.',
    );
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code: end.searchParams.get('code') ?? '',
    redirect_uri: REDIRECT,
    client_id: client.client_id,
    code_verifier: verifier,
    resource: `${origin}/mcp`,
  });
  const answer = await post(`${origin}/oauth/token`, 'application/x-www-form-urlencoded', form.toString());
  return { ...(answer as TokenAnswer), client_id: client.client_id };
}

async function post(address: string, type: string, body: string): Promise<unknown> {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const answer = (await response.json()) as { error?: string };
  if (!response.ok)
    throw new Error(`The authorization server answered ${response.status} ${answer.error ?? ''}`.trim());
  return answer;
}
