import { type Check, type Judgement, notChecked, passIf } from '../check.ts';
import type { Facts } from '../facts.ts';
import { CHATGPT_REDIRECT, destinationOf, type FlowFacts, returnedTo, STRANGER } from '../flow-facts.ts';
import type { Reply } from '../wire.ts';

const errorOf = (reply: Reply | null): string | null =>
  returnedTo(reply, CHATGPT_REDIRECT)?.get('error') ?? null;
const seen = (reply: Reply | null): string =>
  errorOf(reply) ?? (reply === null ? 'nothing came' : `HTTP ${reply.status}`);

/** Refused means an error at the client's redirect, or a page that says so. */
const refused = (reply: Reply | null): boolean =>
  errorOf(reply) !== null || (reply !== null && reply.status >= 400 && reply.status < 500);

/** What the authorization server does with a client that ChatGPT could be. */
export const FLOW_CHECKS: readonly Check[] = [
  {
    id: 'redirect-accepted',
    title: 'ChatGPT’s redirect is accepted',
    cure: 'Allow https://chatgpt.com/connector/oauth/… and …/connector_platform_oauth_redirect.',
    judge: (facts) =>
      registered(facts, ({ registration }) =>
        passIf(typeof registration?.json?.['client_id'] === 'string', {
          yes: 'registered',
          no: seen(registration),
        }),
      ),
  },
  {
    id: 'redirect-foreign',
    title: 'A stranger’s redirect is refused',
    cure: 'Keep a list of redirects: whoever registers any address can collect codes.',
    judge: (facts) =>
      registered(facts, ({ foreignRegistration }) =>
        passIf(foreignRegistration !== null && foreignRegistration.json?.['client_id'] === undefined, {
          yes: seen(foreignRegistration),
          no: 'registered',
        }),
      ),
  },
  {
    id: 'no-secret',
    title: 'A public client gets no secret',
    cure: 'Give no client_secret to a client that registers with token_endpoint_auth_method none.',
    judge: (facts) =>
      client(facts, ({ registration }) =>
        passIf(registration?.json?.['client_secret'] === undefined, {
          yes: 'none',
          no: 'a secret was given',
        }),
      ),
  },
  {
    id: 'scope-not-pinned',
    title: 'A client is not bound to its first scope',
    cure: 'Drop scope at registration: a client that registered narrowly could never ask for more.',
    judge: (facts) =>
      client(facts, ({ registration }) =>
        passIf(registration?.json?.['scope'] === undefined, { yes: 'not kept', no: 'scope is kept' }),
      ),
  },
  {
    id: 'authorize',
    title: 'A sound request comes to the sign-in page',
    cure: 'Look at the authorization server’s log for this request.',
    judge: (facts) =>
      client(facts, ({ sound }) => passIf(goesOn(sound), { yes: seen(sound), no: seen(sound) })),
  },
  {
    id: 'authorize-without-scope',
    title: 'A request without scope goes on',
    cure: 'Fill in a default scope when the client names none.',
    judge: (facts) =>
      client(facts, ({ withoutScope }) =>
        passIf(goesOn(withoutScope), { yes: seen(withoutScope), no: seen(withoutScope) }),
      ),
  },
  {
    id: 'pkce-required',
    title: 'A request without PKCE is refused',
    cure: 'Require a code_challenge of every client.',
    judge: (facts) =>
      client(facts, ({ withoutPkce }) =>
        passIf(refused(withoutPkce), { yes: seen(withoutPkce), no: 'it goes on' }),
      ),
  },
  {
    id: 'pkce-plain',
    title: 'Plain PKCE is refused',
    cure: 'Take S256 only.',
    judge: (facts) =>
      client(facts, ({ plainPkce }) =>
        passIf(refused(plainPkce), { yes: seen(plainPkce), no: 'it goes on' }),
      ),
  },
  {
    id: 'resource-checked',
    title: 'A token for another resource cannot be asked for',
    cure: 'Refuse a resource that is not this one with invalid_target (RFC 8707 §2).',
    judge: (facts) =>
      client(facts, ({ otherResource }) =>
        passIf(refused(otherResource), { yes: seen(otherResource), no: 'it goes on' }),
      ),
  },
  {
    id: 'redirect-exact',
    title: 'Nobody is sent to a redirect that was not registered',
    cure: 'Compare redirect_uri with the registered ones to the letter, and show a page when it differs.',
    judge: (facts) =>
      client(facts, ({ otherRedirect }) => {
        const there = destinationOf(otherRedirect)?.href.startsWith(STRANGER) === true;
        return passIf(!there && refused(otherRedirect), {
          yes: seen(otherRedirect),
          no: there ? 'sent there' : 'it goes on',
        });
      }),
  },
  {
    id: 'iss-on-error',
    title: 'iss is on error responses when it is advertised',
    cure: 'Put iss on every authorization response, errors too, or do not advertise it (RFC 9207 §2).',
    judge: (facts) => client(facts, ({ mustFail }) => judgeIss(facts, mustFail)),
  },
  {
    id: 'page-framing',
    title: 'The sign-in page cannot be framed',
    cure: "Send frame-ancestors 'none' or X-Frame-Options: DENY with the pages.",
    judge: (facts) => client(facts, ({ page }) => judgeFraming(page)),
  },
];

const goesOn = (reply: Reply | null): boolean =>
  reply !== null &&
  errorOf(reply) === null &&
  (reply.status === 200 || (reply.status >= 300 && reply.status < 400));

function judgeIss({ issuerMetadata, issuer }: Facts, reply: Reply | null): Judgement {
  const advertised = issuerMetadata?.json?.['authorization_response_iss_parameter_supported'] === true;
  if (!advertised) return notChecked('it is not advertised');
  const params = returnedTo(reply, CHATGPT_REDIRECT);
  if (params === null) return notChecked(`the request that must fail ended with ${seen(reply)}`);
  return passIf(params.get('iss') === issuer, {
    yes: 'it is there',
    no: params.has('iss') ? 'another issuer' : 'missing',
  });
}

/** The answer itself carries the headers, or sends on to the page that would: then there is nothing to see here. */
function judgeFraming(reply: Reply | null): Judgement {
  if (reply === null || !goesOn(reply)) return notChecked('the sign-in page was not reached');
  const policy = reply.headers.get('content-security-policy') ?? '';
  const guarded =
    /frame-ancestors 'none'/.test(policy) || /deny/i.test(reply.headers.get('x-frame-options') ?? '');
  if (!guarded && reply.status !== 200) return notChecked('it sends on to another page');
  return passIf(guarded, { yes: 'guarded', no: 'no frame-ancestors, no X-Frame-Options' });
}

function registered({ flow }: Facts, judge: (flow: FlowFacts) => Judgement): Judgement {
  if (flow === null) return notChecked('there is no metadata of an authorization server');
  return flow.registration === null && flow.foreignRegistration === null
    ? notChecked('no client was registered')
    : judge(flow);
}

const client = (facts: Facts, judge: (flow: FlowFacts) => Judgement): Judgement =>
  typeof facts.flow?.registration?.json?.['client_id'] === 'string'
    ? judge(facts.flow)
    : notChecked('no client was registered');
