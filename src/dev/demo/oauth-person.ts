import type { OAuthClientProvider } from '@modelcontextprotocol/client';
import { authorizeAs } from '../user-agent/authorize-as.ts';

/** Who stands behind the client. */
export interface Person {
  readonly email: string;
  readonly password: string;
  readonly authEmulatorUrl: string;
}

const REDIRECT = 'http://127.0.0.1:9/callback';

/**
 * What an MCP client asks of the program around it, with a person who signs in and allows. Everything else
 * (discovery, registration, PKCE, exchange, refresh) is the client's own doing. Fits both client packages.
 */
export function oauthPerson(person: Person, name: string) {
  const kept: { client?: unknown; tokens?: unknown; verifier?: string; discovery?: unknown; callback?: URL } =
    {};
  const provider = {
    redirectUrl: REDIRECT,
    clientMetadata: {
      client_name: name,
      redirect_uris: [REDIRECT],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => kept.client,
    saveClientInformation: (client: unknown) => {
      kept.client = client;
    },
    tokens: () => kept.tokens,
    saveTokens: (tokens: unknown) => {
      kept.tokens = tokens;
    },
    discoveryState: () => kept.discovery,
    saveDiscoveryState: (discovery: unknown) => {
      kept.discovery = discovery;
    },
    saveCodeVerifier: (verifier: string) => {
      kept.verifier = verifier;
    },
    codeVerifier: () => kept.verifier ?? '',
    redirectToAuthorization: async (authorizeUrl: URL) => {
      kept.callback = await authorizeAs({ ...person, authorizeUrl, consent: 'allow' });
    },
  };
  return {
    provider: provider as unknown as OAuthClientProvider,
    /** Where the browser was sent at the end; null when nobody was asked to sign in. */
    callback: (): URLSearchParams | null => kept.callback?.searchParams ?? null,
  };
}
