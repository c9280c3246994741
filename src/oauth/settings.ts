import { z } from 'zod';
import type { TokenProfile } from '../access/token-profile.ts';
import { InputError } from '../kernel/errors.ts';

/** What the environment decides about sign-in and tokens, checked. Provider secrets are in here: never log it. */
export interface OAuthSettings {
  /** Whose tokens are taken instead of our own; null runs the authorization server of this house. */
  readonly external: { readonly issuer: string; readonly profile: TokenProfile } | null;
  /** Clients that need no registration. */
  readonly clients: readonly PredefinedClient[];
  /** Exact redirect addresses to take beside ChatGPT's own. */
  readonly redirectUris: readonly string[];
  /** Hosts of client documents and key sets; null means ChatGPT's own. */
  readonly clientHosts: readonly string[] | null;
  /** Whether `iss` is on every authorization response and promised in the metadata (RFC 9207). */
  readonly issParameter: boolean;
  /** How many of the last entries of `X-Forwarded-For` are the platform's own; 0 takes the socket's address. */
  readonly proxyHops: number;
  /** Sign-in by another account, offered on the sign-in page. */
  readonly identityProviders: readonly IdentityProviderSettings[];
  /** Synthetic staff who sign in by password alone: in development only. */
  readonly withoutSecondFactor: readonly string[];
}

/** A client that the administrator wrote into the configuration. */
export interface PredefinedClient {
  readonly client_id: string;
  readonly client_name: string;
  readonly redirect_uris: readonly string[];
  readonly token_endpoint_auth_method: 'none' | 'private_key_jwt';
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] } | undefined;
}

/** An account elsewhere: the identifiers that Google or Apple gave the clinic. */
export interface IdentityProviderSettings {
  readonly id: 'google' | 'apple';
  readonly clientId: string;
  readonly clientSecret: string;
}

const list = z
  .string()
  .optional()
  .transform((text) => (text ?? '').split(',').map((one) => one.trim()))
  .transform((entries) => entries.filter((one) => one !== ''));
const json = z
  .string()
  .optional()
  .transform((text, context) => {
    try {
      return JSON.parse(text ?? '[]') as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'not JSON' });
      return z.NEVER;
    }
  });

const client = z
  .strictObject({
    client_id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
    client_name: z.string().min(1).max(60),
    redirect_uris: z.array(z.url()).min(1),
    token_endpoint_auth_method: z.enum(['none', 'private_key_jwt']).default('none'),
    jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) }).optional(),
  })
  .refine((one) => (one.token_endpoint_auth_method === 'private_key_jwt') === (one.jwks !== undefined));

const provider = z.strictObject({
  id: z.enum(['google', 'apple']),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
});

const CLAIMS = { user: 'sub', tenant: 'tenant', client: 'azp', scope: 'scope' };
/** Asymmetric algorithms alone: with a shared secret whoever verifies could also sign. */
const ALGORITHM = /^(?:ES(?:256|384|512)|RS(?:256|384|512)|PS(?:256|384|512)|Ed25519|EdDSA)$/;

const variables = z.object({
  CHARTSEAL_ISSUER: z.url().optional(),
  CHARTSEAL_ISSUER_ALGORITHMS: list,
  CHARTSEAL_ISSUER_TYP: z.string().min(1).default('at+jwt'),
  CHARTSEAL_ISSUER_CLAIMS: list,
  CHARTSEAL_ISSUER_MAX_LIFETIME: z.coerce.number().int().min(60).max(86_400).default(3_600),
  CHARTSEAL_CLIENTS: json.pipe(z.array(client)),
  CHARTSEAL_REDIRECT_URIS: list.pipe(z.array(z.url())),
  CHARTSEAL_CLIENT_HOSTS: list.pipe(z.array(z.string().regex(/^[a-z0-9.-]+$/))),
  CHARTSEAL_ISS_PARAMETER: z.enum(['on', 'off']).default('on'),
  CHARTSEAL_PROXY_HOPS: z.coerce.number().int().min(0).max(5).optional(),
  CHARTSEAL_IDENTITY_PROVIDERS: json.pipe(z.array(provider)),
  CHARTSEAL_WITHOUT_SECOND_FACTOR: list,
});
type Variables = z.infer<typeof variables>;

/**
 * Reads the part of the configuration that concerns sign-in and tokens.
 *
 * @throws InputError `CONFIG` naming the variable and the cure, never its value.
 */
export function readOAuthSettings(
  env: Readonly<Record<string, string | undefined>>,
  { development }: { development: boolean },
): OAuthSettings {
  const parsed = variables.safeParse(env);
  if (!parsed.success) {
    const names = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))];
    throw refuse(`Set ${names.join(', ')}: missing or of the wrong form.`);
  }
  const vars = parsed.data;
  const hosts = vars.CHARTSEAL_CLIENT_HOSTS;
  const redirects = [
    ...vars.CHARTSEAL_REDIRECT_URIS,
    ...vars.CHARTSEAL_CLIENTS.flatMap((one) => one.redirect_uris),
  ];
  if (!development && redirects.some((uri) => !uri.startsWith('https://')))
    throw refuse('CHARTSEAL_REDIRECT_URIS and the redirects of CHARTSEAL_CLIENTS are https in production.');
  if (!development && vars.CHARTSEAL_WITHOUT_SECOND_FACTOR.length > 0)
    throw refuse('Unset CHARTSEAL_WITHOUT_SECOND_FACTOR: nobody is exempt in production.');
  return {
    external: externalOf(vars, development),
    clients: vars.CHARTSEAL_CLIENTS,
    redirectUris: vars.CHARTSEAL_REDIRECT_URIS,
    clientHosts: hosts.length === 0 ? null : hosts,
    issParameter: vars.CHARTSEAL_ISS_PARAMETER === 'on',
    proxyHops: vars.CHARTSEAL_PROXY_HOPS ?? (development ? 0 : 1),
    identityProviders: vars.CHARTSEAL_IDENTITY_PROVIDERS,
    withoutSecondFactor: vars.CHARTSEAL_WITHOUT_SECOND_FACTOR,
  };
}

function externalOf(vars: Variables, development: boolean): OAuthSettings['external'] {
  const issuer = vars.CHARTSEAL_ISSUER;
  if (issuer === undefined) return null;
  if (!development && !issuer.startsWith('https://'))
    throw refuse('CHARTSEAL_ISSUER must be https in production.');
  const algorithms = vars.CHARTSEAL_ISSUER_ALGORITHMS;
  if (!algorithms.every((name) => ALGORITHM.test(name)))
    throw refuse('CHARTSEAL_ISSUER_ALGORITHMS lists asymmetric algorithms, such as RS256.');
  return {
    issuer,
    profile: {
      algorithms: algorithms.length === 0 ? ['ES256', 'RS256'] : algorithms,
      typ: vars.CHARTSEAL_ISSUER_TYP === 'any' ? null : vars.CHARTSEAL_ISSUER_TYP,
      claims: claimsOf(vars.CHARTSEAL_ISSUER_CLAIMS),
      maxLifetime: vars.CHARTSEAL_ISSUER_MAX_LIFETIME,
    },
  };
}

/** `tenant=org_id,user=uid`: what is left out keeps its usual name. */
function claimsOf(entries: readonly string[]): TokenProfile['claims'] {
  const pairs = entries.map((entry) => entry.split('='));
  if (!pairs.every(([name = '', claim = '']) => name in CLAIMS && claim !== ''))
    throw refuse(
      'CHARTSEAL_ISSUER_CLAIMS is a list of user=, tenant=, client= or scope= and a claim’s name.',
    );
  return { ...CLAIMS, ...Object.fromEntries(pairs) };
}

const refuse = (message: string): InputError => new InputError('CONFIG', message);
