import { type Check, fail, isSecure, notChecked, pass, passIf } from '../check.ts';
import { CHATGPT_AGENT, challengeParameter, type Facts } from '../facts.ts';
import type { Reply } from '../wire.ts';

const seen = (reply: Reply | null): string => (reply === null ? 'nothing came' : `HTTP ${reply.status}`);
const kindOf = (reply: Reply): string => (reply.headers.get('content-type') ?? 'no type').split(';')[0] ?? '';

/** The MCP address itself, without a token. */
export const RESOURCE_CHECKS: readonly Check[] = [
  {
    id: 'reachable',
    title: 'The address answers',
    cure: 'Check the address, DNS, the certificate, and that the server runs.',
    judge: ({ anonymous }) =>
      passIf(anonymous !== null, { yes: seen(anonymous), no: 'nothing came in time' }),
  },
  {
    id: 'https',
    title: 'The address is https',
    cure: 'Serve it over https: ChatGPT takes nothing else.',
    judge: ({ typed }) => passIf(isSecure(typed), { yes: 'https, or this machine', no: 'plain http' }),
  },
  {
    id: 'unauthorized',
    title: 'Without a token the answer is 401',
    cure: 'Answer 401 before looking at the request; 200, 302, 403 or 404 keeps clients from signing in.',
    judge: ({ anonymous }) => passIf(anonymous?.status === 401, { yes: '401', no: seen(anonymous) }),
  },
  {
    id: 'challenge',
    title: 'The 401 says where to sign in',
    cure: 'Send WWW-Authenticate: Bearer resource_metadata="https://…/.well-known/oauth-protected-resource…".',
    judge: ({ anonymous }) => {
      const named = challengeParameter(anonymous, 'resource_metadata');
      return passIf(named !== null && URL.parse(named) !== null, {
        yes: 'resource_metadata is named',
        no: 'no Bearer challenge with an absolute resource_metadata',
      });
    },
  },
  {
    id: 'challenge-scope',
    title: 'The 401 says which scopes to ask for',
    cure: 'Add scope="…" to the challenge, or clients ask for none or for all.',
    judge: ({ anonymous }) =>
      passIf((challengeParameter(anonymous, 'scope') ?? '') !== '', { yes: 'named', no: 'no scope' }),
  },
  {
    id: 'challenge-metadata',
    title: 'The address in the challenge serves the metadata',
    cure: 'Let resource_metadata name the address that really serves the document.',
    judge: ({ anonymous, namedMetadata }) => {
      if (challengeParameter(anonymous, 'resource_metadata') === null)
        return notChecked('the challenge names none');
      const good = namedMetadata?.status === 200 && namedMetadata.json?.['resource'] !== undefined;
      return passIf(good, { yes: '200, JSON', no: seen(namedMetadata) });
    },
  },
  {
    id: 'bad-token',
    title: 'A bad token is 401 with invalid_token',
    cure: 'Answer 401 with error="invalid_token" in the challenge, so that a client refreshes.',
    judge: ({ badToken }) => {
      const error = challengeParameter(badToken, 'error');
      const good = badToken?.status === 401 && error === 'invalid_token';
      return passIf(good, { yes: '401 invalid_token', no: `${seen(badToken)}, error ${error ?? 'missing'}` });
    },
  },
  {
    id: 'query-token',
    title: 'A token in the address is refused',
    cure: 'Take tokens from the Authorization header only: addresses end in logs.',
    judge: ({ tokenInQuery }) =>
      passIf(tokenInQuery?.status === 400 || tokenInQuery?.status === 401, {
        yes: seen(tokenInQuery),
        no: seen(tokenInQuery),
      }),
  },
  {
    id: 'get-405',
    title: 'GET is a clean 405, or asks for sign-in',
    cure: 'Answer GET with 405 and Allow: POST when there is no event stream; never with a page, 404 or 500.',
    judge: ({ get }) => {
      if (get?.status === 405)
        return passIf(/\bPOST\b/.test(get.headers.get('allow') ?? ''), {
          yes: '405, Allow: POST',
          no: '405 without Allow',
        });
      return passIf(get?.status === 401, { yes: '401', no: seen(get) });
    },
  },
  {
    id: 'firewall',
    title: 'ChatGPT’s own agent is let through',
    cure: `Let the user agent ${CHATGPT_AGENT} pass the firewall and the bot protection.`,
    judge: judgeFirewall,
  },
  {
    id: 'json-error',
    title: 'The refusal is JSON',
    cure: 'Keep error pages of proxies away from this address: clients read JSON.',
    judge: ({ anonymous }) =>
      anonymous === null
        ? notChecked('nothing came')
        : passIf(anonymous.json !== null || anonymous.text === '', {
            yes: kindOf(anonymous),
            no: kindOf(anonymous),
          }),
  },
];

function judgeFirewall({ anonymous, asChatGpt }: Facts) {
  if (anonymous === null) return notChecked('nothing came');
  if (asChatGpt === null) return fail('nothing came for that agent');
  return asChatGpt.status === anonymous.status
    ? pass(seen(asChatGpt))
    : fail(`HTTP ${asChatGpt.status} for that agent, ${anonymous.status} for others`);
}
