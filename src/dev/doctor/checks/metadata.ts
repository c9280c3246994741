import { type Check, isSecure, type Judgement, listOf, notChecked, passIf } from '../check.ts';
import type { Facts } from '../facts.ts';
import type { Reply } from '../wire.ts';

/** The protected-resource metadata (RFC 9728). */
export const METADATA_CHECKS: readonly Check[] = [
  {
    id: 'metadata-root',
    title: 'The metadata is at the root',
    cure: 'Serve /.well-known/oauth-protected-resource as JSON with 200; some clients look only there.',
    judge: ({ rootMetadata }) => judgeDocument(rootMetadata),
  },
  {
    id: 'metadata-path',
    title: 'The metadata is at the path-suffixed address too',
    cure: 'Serve /.well-known/oauth-protected-resource followed by the path of the address (RFC 9728 §3.1).',
    judge: ({ pathMetadata }) => judgeDocument(pathMetadata),
  },
  {
    id: 'metadata-agree',
    title: 'Both say the same',
    cure: 'Serve one document at both addresses.',
    judge: ({ rootMetadata, pathMetadata }) =>
      rootMetadata?.json == null || pathMetadata?.json == null
        ? notChecked('one of them is missing')
        : passIf(JSON.stringify(rootMetadata.json) === JSON.stringify(pathMetadata.json), {
            yes: 'equal',
            no: 'they differ',
          }),
  },
  {
    id: 'resource-exact',
    title: 'resource equals the address that people type',
    cure: 'Set resource to the address to the letter (path, case, slash), or type what it says.',
    judge: (facts) =>
      within(facts, ({ resource }) =>
        passIf(resource === facts.typed, { yes: 'equal', no: `it says ${JSON.stringify(resource)}` }),
      ),
  },
  {
    id: 'authorization-server',
    title: 'An authorization server is named',
    cure: 'List the issuer in authorization_servers, as an https address.',
    judge: (facts) =>
      within(facts, () =>
        passIf(isSecure(facts.issuer), { yes: String(facts.issuer), no: 'none, or not https' }),
      ),
  },
  {
    id: 'header-only',
    title: 'Tokens are taken from the header only',
    cure: 'Set bearer_methods_supported to ["header"].',
    judge: (facts) =>
      within(facts, ({ bearer_methods_supported: methods }) =>
        passIf(listOf(methods).join() === 'header', { yes: 'header', no: JSON.stringify(methods ?? null) }),
      ),
  },
  {
    id: 'scopes-listed',
    title: 'The scopes are listed',
    cure: 'Fill scopes_supported: clients ask for what it names.',
    judge: (facts) =>
      within(facts, ({ scopes_supported: scopes }) =>
        passIf(listOf(scopes).length > 0, { yes: `${listOf(scopes).length} scopes`, no: 'none' }),
      ),
  },
  {
    id: 'offline-access-apart',
    title: 'offline_access is no scope of the resource',
    cure: 'List offline_access in the authorization server’s metadata only.',
    judge: (facts) =>
      within(facts, ({ scopes_supported: scopes }) =>
        passIf(!listOf(scopes).includes('offline_access'), { yes: 'it is not listed', no: 'it is listed' }),
      ),
  },
];

function judgeDocument(reply: Reply | null): Judgement {
  const type = (reply?.headers.get('content-type') ?? 'no type').split(';')[0];
  const good =
    reply?.status === 200 && type === 'application/json' && typeof reply.json?.['resource'] === 'string';
  return passIf(good, {
    yes: '200, JSON',
    no: reply === null ? 'nothing came' : `HTTP ${reply.status}, ${type}`,
  });
}

function within(facts: Facts, judge: (document: Readonly<Record<string, unknown>>) => Judgement): Judgement {
  const document = [facts.namedMetadata, facts.pathMetadata, facts.rootMetadata].find(
    (reply) => reply?.status === 200 && reply.json !== null,
  )?.json;
  return document == null ? notChecked('there is no metadata') : judge(document);
}
