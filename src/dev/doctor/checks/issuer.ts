import { type Check, isSecure, type Judgement, listOf, notChecked, passIf } from '../check.ts';
import type { Facts } from '../facts.ts';

/** The authorization server's own metadata (RFC 8414) and keys. */
export const ISSUER_CHECKS: readonly Check[] = [
  {
    id: 'issuer-metadata',
    title: 'The authorization server describes itself',
    cure: 'Serve /.well-known/oauth-authorization-server (or openid-configuration) of the issuer as JSON.',
    judge: ({ issuer, issuerMetadata }) => {
      if (issuer === null) return notChecked('no authorization server is named');
      const good = issuerMetadata?.status === 200 && issuerMetadata.json !== null;
      const no = issuerMetadata === null ? 'nothing came' : `HTTP ${issuerMetadata.status}, no JSON object`;
      return passIf(good, { yes: '200, JSON', no });
    },
  },
  {
    id: 'issuer-exact',
    title: 'issuer equals the address in the resource’s metadata',
    cure: 'Make both the same to the letter, slash included: clients compare them (RFC 8414 §3.3).',
    judge: (facts) =>
      within(facts, ({ issuer }) =>
        passIf(issuer === facts.issuer, { yes: 'equal', no: `it says ${JSON.stringify(issuer ?? null)}` }),
      ),
  },
  {
    id: 'endpoints',
    title: 'The endpoints are named, over https',
    cure: 'Name authorization_endpoint and token_endpoint as https addresses.',
    judge: (facts) =>
      within(facts, ({ authorization_endpoint: authorize, token_endpoint: token }) =>
        passIf(isSecure(authorize) && isSecure(token), { yes: 'both', no: 'one is missing or not https' }),
      ),
  },
  {
    id: 'pkce',
    title: 'PKCE with S256, and nothing weaker',
    cure: 'Set code_challenge_methods_supported to ["S256"]: without it clients refuse to go on.',
    judge: (facts) =>
      within(facts, ({ code_challenge_methods_supported: methods }) =>
        passIf(listOf(methods).join() === 'S256', { yes: 'S256', no: JSON.stringify(methods ?? null) }),
      ),
  },
  {
    id: 'code-flow',
    title: 'The code flow, and no token in the front channel',
    cure: 'Support response type code only.',
    judge: (facts) =>
      within(facts, ({ response_types_supported: types }) =>
        passIf(listOf(types).join() === 'code', { yes: 'code', no: JSON.stringify(types ?? null) }),
      ),
  },
  {
    id: 'client-registration',
    title: 'A new client can introduce itself',
    cure: 'Support client metadata documents (client_id_metadata_document_supported) or registration_endpoint.',
    judge: (facts) =>
      within(facts, ({ client_id_metadata_document_supported: documents, registration_endpoint: register }) =>
        passIf(documents === true || typeof register === 'string', {
          yes: [documents === true ? 'documents' : '', typeof register === 'string' ? 'registration' : '']
            .filter((word) => word !== '')
            .join(' and '),
          no: 'neither documents nor registration',
        }),
      ),
  },
  {
    id: 'client-authentication',
    title: 'Clients without a secret are taken, and clients with a key',
    cure: 'List both none and private_key_jwt in token_endpoint_auth_methods_supported.',
    judge: (facts) =>
      within(facts, ({ token_endpoint_auth_methods_supported: methods }) =>
        passIf(
          ['none', 'private_key_jwt'].every((method) => listOf(methods).includes(method)),
          {
            yes: 'both',
            no: JSON.stringify(methods ?? null),
          },
        ),
      ),
  },
  {
    id: 'refresh',
    title: 'Refresh tokens are given',
    cure: 'Add refresh_token to grant_types_supported, or people sign in again every few minutes.',
    judge: (facts) =>
      within(facts, ({ grant_types_supported: types }) =>
        passIf(listOf(types).includes('refresh_token'), {
          yes: 'supported',
          no: JSON.stringify(types ?? null),
        }),
      ),
  },
  {
    id: 'scopes-cover',
    title: 'The authorization server knows the resource’s scopes',
    cure: 'List every scope of the resource’s metadata in the authorization server’s scopes_supported.',
    judge: (facts) =>
      within(facts, ({ scopes_supported: known }) => {
        const document = facts.namedMetadata ?? facts.pathMetadata ?? facts.rootMetadata;
        const missing = listOf(document?.json?.['scopes_supported']).filter(
          (scope) => !listOf(known).includes(scope),
        );
        return known === undefined
          ? notChecked('it lists none')
          : passIf(missing.length === 0, { yes: 'all', no: `missing ${missing.join(', ')}` });
      }),
  },
  {
    id: 'keys',
    title: 'The keys are public, and only their public halves',
    cure: 'Serve jwks_uri with a kid for each key; if a private half was ever there, replace the key now.',
    judge: judgeKeys,
  },
];

const PRIVATE_PARTS = ['d', 'p', 'q', 'k'];

function judgeKeys({ issuerMetadata, keys }: Facts): Judgement {
  if (issuerMetadata?.json?.['jwks_uri'] === undefined) return notChecked('the metadata names none');
  const list = keys?.json?.['keys'];
  if (keys?.status !== 200 || !Array.isArray(list) || list.length === 0)
    return passIf(false, { yes: '', no: keys === null ? 'nothing came' : `HTTP ${keys.status}, no keys` });
  const jwks = list as Readonly<Record<string, unknown>>[];
  if (jwks.some((key) => PRIVATE_PARTS.some((part) => part in key)))
    return passIf(false, { yes: '', no: 'a private or shared key is published' });
  return passIf(
    jwks.every((key) => typeof key['kid'] === 'string'),
    { yes: `${jwks.length} keys`, no: 'a key has no kid' },
  );
}

function within(
  { issuerMetadata }: Facts,
  judge: (document: Readonly<Record<string, unknown>>) => Judgement,
): Judgement {
  return issuerMetadata?.status === 200 && issuerMetadata.json !== null
    ? judge(issuerMetadata.json)
    : notChecked('there is no metadata of an authorization server');
}
