import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { decodeJwt } from 'jose';
import { OAuthError } from './errors.ts';
import type { IdentityProviderSettings } from './settings.ts';

/** An account elsewhere by which people may sign in. */
export interface IdentityProvider extends IdentityProviderSettings {
  /** As the button says it. */
  readonly label: string;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  /** Firebase's name for it. */
  readonly firebaseId: string;
  readonly scope: string;
}

/** How {@link createFederation} is set up. */
export interface FederationOptions {
  readonly issuer: string;
  readonly providers: readonly IdentityProvider[];
  /** Where Firebase takes an identity: Identity Toolkit, or the Auth emulator in development. */
  readonly toolkitUrl: string;
  /** The Firebase project's web API key. */
  readonly apiKey: string;
  /** Keys state, nonce and verifier, so that none of them is stored. */
  readonly key: string;
  readonly fetch: typeof globalThis.fetch;
}

/** Which sign-in of which person an answer belongs to. */
export interface FederatedReturn {
  readonly uid: string;
  readonly provider: IdentityProvider;
}

/** Sign-in by Google or Apple without a script of theirs on our page: by redirects, so the strict policy holds. */
export interface Federation {
  readonly providers: readonly IdentityProvider[];
  /** Where the browser goes to sign in; null for a provider that is not offered. */
  begin(id: string, uid: string): URL | null;
  /** Whose answer `state` is; null when we did not make it. */
  returned(state: string | null): FederatedReturn | null;
  /**
   * Exchanges the answer for a Firebase ID token.
   *
   * @throws OAuthError `SIGN_IN_PROVIDER` when the account was not confirmed, `SIGN_IN_SECOND_FACTOR` when the
   *   account has a second factor (which our form asks, not the provider), `SIGN_IN_UNAVAILABLE` (retryable).
   */
  idTokenFor(answer: FederatedReturn & { readonly code: string }): Promise<string>;
}

/** The one address that providers send people back to; register it with each. */
export const FEDERATED_RETURN = '/oauth/federated';
const DEADLINE_MS = 10_000;

const KNOWN: Readonly<
  Record<IdentityProviderSettings['id'], Omit<IdentityProvider, keyof IdentityProviderSettings>>
> = {
  google: {
    label: 'Google',
    authorizeUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenUrl: 'https://oauth2.googleapis.com/token',
    firebaseId: 'google.com',
    scope: 'openid email',
  },
  apple: {
    label: 'Apple',
    authorizeUrl: 'https://appleid.apple.com/auth/authorize',
    tokenUrl: 'https://appleid.apple.com/auth/token',
    firebaseId: 'apple.com',
    // More than this and Apple answers by a form post, which arrives without our cookie.
    scope: 'openid',
  },
};

/** What is known of Google and Apple, with what the clinic configured. */
export const identityProvider = (settings: IdentityProviderSettings): IdentityProvider => ({
  ...KNOWN[settings.id],
  ...settings,
});

export function createFederation(options: FederationOptions): Federation {
  const { providers, key } = options;
  const derived = (what: string, uid: string): string =>
    createHmac('sha256', key).update(`chartseal/federation/1\0${what}\0${uid}`).digest('base64url');
  const stateOf = (id: string, uid: string): string => `${id}.${uid}.${derived(`state ${id}`, uid)}`;
  const verifierOf = ({ provider, uid }: FederatedReturn): string => derived(`verifier ${provider.id}`, uid);
  const nonceOf = ({ provider, uid }: FederatedReturn): string => derived(`nonce ${provider.id}`, uid);
  const find = (id: string): IdentityProvider | undefined => providers.find((one) => one.id === id);
  return {
    providers,
    begin: (id, uid) => {
      const provider = find(id);
      if (provider === undefined) return null;
      const url = new URL(provider.authorizeUrl);
      url.search = new URLSearchParams({
        response_type: 'code',
        client_id: provider.clientId,
        redirect_uri: options.issuer + FEDERATED_RETURN,
        scope: provider.scope,
        state: stateOf(id, uid),
        nonce: nonceOf({ provider, uid }),
        code_challenge: createHash('sha256').update(verifierOf({ provider, uid })).digest('base64url'),
        code_challenge_method: 'S256',
        prompt: 'select_account',
      }).toString();
      return url;
    },
    returned: (state) => {
      const [id = '', uid = ''] = (state ?? '').split('.');
      const provider = find(id);
      return provider !== undefined && same(state ?? '', stateOf(id, uid)) ? { uid, provider } : null;
    },
    idTokenFor: async (answer) => {
      const identity = await exchange(options, { ...answer, verifier: verifierOf(answer) });
      // It came over TLS from the provider itself (OpenID Connect Core §3.1.3.7); Firebase checks the signature.
      if (nonceIn(identity) !== nonceOf(answer)) throw unconfirmed();
      return firebaseToken(options, answer.provider, identity);
    },
  };
}

function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The code for the provider's ID token (RFC 6749 §4.1.3 with PKCE). */
async function exchange(
  { issuer, fetch }: FederationOptions,
  { provider, code, verifier }: FederatedReturn & { code: string; verifier: string },
): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    redirect_uri: issuer + FEDERATED_RETURN,
    client_id: provider.clientId,
    client_secret: provider.clientSecret,
    code_verifier: verifier,
  });
  const { id_token: identity } = await post(fetch, provider.tokenUrl, {
    type: 'application/x-www-form-urlencoded',
    body: form.toString(),
  });
  if (typeof identity !== 'string') throw unconfirmed();
  return identity;
}

function nonceIn(token: string): unknown {
  try {
    return decodeJwt(token)['nonce'];
  } catch {
    throw unconfirmed();
  }
}

async function firebaseToken(
  { toolkitUrl, apiKey, issuer, fetch }: FederationOptions,
  { firebaseId }: IdentityProvider,
  identity: string,
): Promise<string> {
  const postBody = new URLSearchParams({ id_token: identity, providerId: firebaseId }).toString();
  const body = JSON.stringify({ postBody, requestUri: issuer, returnSecureToken: true });
  const address = `${toolkitUrl}/v1/accounts:signInWithIdp?key=${encodeURIComponent(apiKey)}`;
  const answer = await post(fetch, address, { type: 'application/json', body });
  if (typeof answer['mfaPendingCredential'] === 'string')
    throw new OAuthError('SIGN_IN_SECOND_FACTOR', 'Sign in by email: the form asks for the second factor.');
  if (typeof answer['idToken'] !== 'string') throw unconfirmed();
  return answer['idToken'];
}

/** @throws OAuthError `SIGN_IN_PROVIDER` for a refusal, `SIGN_IN_UNAVAILABLE` for silence and faults. */
async function post(
  fetch: typeof globalThis.fetch,
  address: string,
  { type, body }: { type: string; body: string },
): Promise<Readonly<Record<string, unknown>>> {
  const init = { method: 'POST', headers: { 'content-type': type, accept: 'application/json' }, body };
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const response = await fetch(address, { ...init, redirect: 'error', signal }).catch((cause: unknown) => {
    throw unavailable(cause);
  });
  if (response.status >= 500) throw unavailable();
  if (!response.ok) throw unconfirmed();
  return response.json().catch((cause: unknown) => {
    throw unavailable(cause);
  }) as Promise<Readonly<Record<string, unknown>>>;
}

const unconfirmed = (): OAuthError =>
  new OAuthError('SIGN_IN_PROVIDER', 'Sign in again, or by email: the account was not confirmed.');
const unavailable = (cause?: unknown): OAuthError =>
  new OAuthError('SIGN_IN_UNAVAILABLE', 'Try again in a minute.', { retryable: true, cause });
