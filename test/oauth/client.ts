import { createHash, randomBytes } from 'node:crypto';
import { createBrowser, fieldOf, type VisitedPage } from '../../src/dev/user-agent/browser.ts';
import type { RunningServer } from './server.ts';

export const REDIRECT = 'https://chatgpt.com/connector/oauth/abc123';

export interface TokenAnswer {
  readonly status: number;
  readonly body: Record<string, unknown> & { access_token?: string; refresh_token?: string; error?: string };
}

export async function register(
  { issuer }: Pick<RunningServer, 'issuer'>,
  metadata: Record<string, unknown> = {},
): Promise<TokenAnswer> {
  const response = await fetch(`${issuer}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'ChatGPT', redirect_uris: [REDIRECT], ...metadata }),
  });
  return { status: response.status, body: (await response.json()) as TokenAnswer['body'] };
}

export interface Request {
  readonly url: URL;
  readonly verifier: string;
  readonly clientId: string;
}

/** An authorization request with PKCE. A change to undefined leaves the parameter out. */
export function authorizationRequest(
  { issuer, resource }: Pick<RunningServer, 'issuer' | 'resource'>,
  clientId: string,
  changes: Record<string, string | undefined> = {},
): Request {
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL('/oauth/authorize', issuer);
  const params = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: REDIRECT,
    scope: 'patient/Patient.rs patient/Appointment.crus',
    resource,
    state: 'opaque-state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  };
  for (const [name, value] of Object.entries(params))
    if (value !== undefined) url.searchParams.set(name, value);
  return { url, verifier, clientId };
}

async function exchange(
  { issuer }: Pick<RunningServer, 'issuer'>,
  params: Record<string, string>,
): Promise<TokenAnswer> {
  const response = await fetch(`${issuer}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(params).toString(),
  });
  return { status: response.status, body: (await response.json()) as TokenAnswer['body'] };
}

export function redeem(
  server: Pick<RunningServer, 'issuer'>,
  { clientId, verifier }: Request,
  code: string,
  changes: Record<string, string> = {},
): Promise<TokenAnswer> {
  return exchange(server, {
    grant_type: 'authorization_code',
    client_id: clientId,
    code,
    redirect_uri: REDIRECT,
    code_verifier: verifier,
    ...changes,
  });
}

export function refresh(
  server: Pick<RunningServer, 'issuer'>,
  clientId: string,
  token: string,
): Promise<TokenAnswer> {
  return exchange(server, { grant_type: 'refresh_token', client_id: clientId, refresh_token: token });
}

/** A page, or the test fails. */
export function page(visited: VisitedPage | URL): VisitedPage {
  if (visited instanceof URL) throw new Error(`Expected a page, was sent to ${visited.origin}`);
  return visited;
}

/** Signs in and consents with an ID token that the server's sign-in takes. */
export async function connect(
  server: Pick<RunningServer, 'issuer' | 'resource'>,
  request: Request,
  idToken = 'john',
): Promise<string> {
  const browser = createBrowser(server.issuer);
  const signIn = page(await browser.open(request.url));
  const consent = page(
    await browser.submit(signIn, `${signIn.url.pathname}/sign-in`, {
      csrf: fieldOf(signIn, 'csrf'),
      idToken,
    }),
  );
  const end = await browser.submit(consent, `${consent.url.pathname}/consent`, {
    csrf: fieldOf(consent, 'csrf'),
    decision: 'allow',
  });
  if (!(end instanceof URL)) throw new Error(`Expected a redirect, got HTTP ${end.status}`);
  return end.searchParams.get('code') ?? '';
}
