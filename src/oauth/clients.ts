import { OAuthError } from './errors.ts';
import type { PredefinedClient } from './settings.ts';

/** Who may be a client, beyond what OAuth itself demands. */
export interface ClientPolicy {
  /** Exact redirect addresses to take beside ChatGPT's own. */
  readonly redirectUris: readonly string[];
  /** Hosts whose client documents and key sets are fetched, and no others. */
  readonly hosts: readonly string[];
  /** Clients that the administrator wrote down, with redirects that need no other permission. */
  readonly predefined: readonly PredefinedClient[];
  /** Loopback redirects (MCP Inspector, command-line clients): for development only. */
  readonly loopback: boolean;
}

/** Hosts of ChatGPT's own client documents and key sets. */
export const CHATGPT_HOSTS = ['chatgpt.com', 'openai.com'];
const CHATGPT_REDIRECT = /^https:\/\/chatgpt\.com\/connector\/oauth\/[A-Za-z0-9_-]{1,128}$/;
const CHATGPT_SHARED_REDIRECT = 'https://chatgpt.com/connector_platform_oauth_redirect';
const LOOPBACK_HOSTS = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Whether codes may be sent to `uri`. Only addresses already in canonical form pass, so that no trick of spelling does. */
export function redirectAllowed(uri: unknown, policy: ClientPolicy): boolean {
  if (typeof uri !== 'string') return false;
  if (CHATGPT_REDIRECT.test(uri) || uri === CHATGPT_SHARED_REDIRECT) return true;
  return policy.redirectUris.includes(uri) || (policy.loopback && isLoopback(uri));
}

function isLoopback(uri: string): boolean {
  const url = URL.parse(uri);
  return (
    url !== null &&
    url.protocol === 'http:' &&
    LOOPBACK_HOSTS.has(url.hostname) &&
    url.username === '' &&
    url.password === '' &&
    !uri.includes('#') &&
    !uri.includes('\\')
  );
}

/** Whether a client document or key set may be fetched from `address`: https, an allowed host, no port of its own. */
export function fetchAllowed(address: unknown, policy: ClientPolicy): boolean {
  const url = typeof address === 'string' ? URL.parse(address) : null;
  return url !== null && url.protocol === 'https:' && policy.hosts.includes(url.host);
}

/** The metadata that is kept of a registration (RFC 7591 §2). No contacts (personal data), no scope, no secrets. */
const KEPT = [
  'client_name',
  'client_uri',
  'grant_types',
  'jwks',
  'jwks_uri',
  'redirect_uris',
  'response_types',
  'software_id',
  'software_version',
] as const;

/**
 * What is registered of what a client asked for. `scope` is dropped, because a client that registered narrowly
 * could never widen; an authentication method with a shared secret becomes `none` (RFC 7591 §3.2.1 lets a server
 * replace values, and the reply tells the client).
 *
 * @throws OAuthError `REQUEST_BODY` when it is not a JSON object.
 */
export function registrationOf(body: Buffer, policy: ClientPolicy): Record<string, unknown> {
  const asked = parseObject(body);
  const kept: Record<string, unknown> = {};
  for (const name of KEPT) if (asked[name] !== undefined) kept[name] = asked[name];
  const method = asked['token_endpoint_auth_method'];
  kept['token_endpoint_auth_method'] = method === 'private_key_jwt' ? method : 'none';
  kept['application_type'] = onlyLoopback(asked['redirect_uris']) ? 'native' : 'web';
  if (kept['jwks_uri'] !== undefined && !fetchAllowed(kept['jwks_uri'], policy)) delete kept['jwks_uri'];
  return kept;
}

/** Native clients may change the port of a loopback redirect (RFC 8252 §7.3). */
const onlyLoopback = (uris: unknown): boolean =>
  Array.isArray(uris) &&
  uris.length > 0 &&
  uris.every((uri: unknown) => typeof uri === 'string' && isLoopback(uri));

function parseObject(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Falls through to the one error below.
  }
  throw new OAuthError('REQUEST_BODY', 'A registration is a JSON object (RFC 7591 §3.1).');
}
