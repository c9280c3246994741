import { type Check, type Judgement, listOf, notChecked, passIf } from '../check.ts';
import type { Facts } from '../facts.ts';
import type { TokenFacts } from '../token-facts.ts';

interface ListedTool {
  readonly name?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
  readonly securitySchemes?: unknown;
  readonly outputSchema?: unknown;
}

const HOUR = 3_600;

/** What only somebody who is signed in can see. */
export const TOKEN_CHECKS: readonly Check[] = [
  {
    id: 'token-audience',
    title: 'The token is for this address alone',
    cure: 'Issue tokens whose aud is the resource to the letter, and nothing beside it (RFC 8707).',
    judge: (facts) =>
      readable(facts, (claims) =>
        passIf(
          claims['aud'] === facts.typed ||
            (listOf(claims['aud']).length === 1 && listOf(claims['aud'])[0] === facts.typed),
          {
            yes: 'equal',
            no: Array.isArray(claims['aud']) ? `${claims['aud'].length} audiences` : 'another audience',
          },
        ),
      ),
  },
  {
    id: 'token-lifetime',
    title: 'The token is short-lived',
    cure: 'Let access tokens end within the hour: they cannot be called back everywhere.',
    judge: (facts) =>
      readable(facts, ({ exp, iat }) => {
        const seconds = Number(exp) - Number(iat);
        return passIf(seconds > 0 && seconds <= HOUR, { yes: `${seconds} s`, no: `${seconds} s` });
      }),
  },
  {
    id: 'tools-listed',
    title: 'The tools are listed at revision 2025-11-25',
    cure: 'ChatGPT opens with 2025-11-25: answer tools/list there, without a session if you keep none.',
    judge: (facts) =>
      signedIn(facts, ({ tools }) => {
        const count = toolsOf(tools?.json ?? null)?.length ?? 0;
        return passIf(count > 0, {
          yes: `${count} tools`,
          no: tools === null ? 'nothing came' : `HTTP ${tools.status}`,
        });
      }),
  },
  {
    id: 'security-schemes',
    title: 'Each tool says how it is signed in to',
    cure: 'Put securitySchemes on each tool: without it ChatGPT never shows its sign-in for a missing scope.',
    judge: (facts) =>
      eachTool(facts, 'securitySchemes', ({ securitySchemes }) => Array.isArray(securitySchemes)),
  },
  {
    id: 'annotations',
    title: 'Each tool’s hints are explicit',
    cure: 'Set readOnlyHint, destructiveHint and openWorldHint to true or false on each tool.',
    judge: (facts) =>
      eachTool(facts, 'hints', ({ annotations = {} }) =>
        ['readOnlyHint', 'destructiveHint', 'openWorldHint'].every(
          (hint) => typeof annotations[hint] === 'boolean',
        ),
      ),
  },
  {
    id: 'parallel-refresh',
    title: 'Two refreshes at once both go on',
    cure: 'Take a rotated refresh token once more within half a minute: ChatGPT refreshes in parallel.',
    judge: (facts) =>
      signedIn(facts, ({ refreshes }) => {
        if (refreshes.length === 0) return notChecked('there is no refresh token');
        const statuses = refreshes.map((reply) => reply?.status ?? 'none');
        return passIf(
          statuses.every((status) => status === 200),
          { yes: 'both', no: `HTTP ${statuses.join(' and ')}` },
        );
      }),
  },
];

const toolsOf = (json: Readonly<Record<string, unknown>> | null): ListedTool[] | null => {
  const tools = (json?.['result'] as { tools?: unknown } | undefined)?.tools;
  return Array.isArray(tools) ? (tools as ListedTool[]) : null;
};

function signedIn({ token }: Facts, judge: (token: TokenFacts) => Judgement): Judgement {
  return token === null
    ? notChecked('it needs a token: --as EMAIL on the local stack, or CHARTSEAL_TOKEN')
    : judge(token);
}

const readable = (facts: Facts, judge: (claims: Readonly<Record<string, unknown>>) => Judgement): Judgement =>
  signedIn(facts, ({ claims }) => (claims === null ? notChecked('the token is opaque') : judge(claims)));

const eachTool = (facts: Facts, what: string, good: (tool: ListedTool) => boolean): Judgement =>
  signedIn(facts, ({ tools }) => {
    const listed = toolsOf(tools?.json ?? null);
    if (listed === null) return notChecked('the tools were not listed');
    const bad = listed.filter((tool) => !good(tool)).map(({ name }) => name ?? 'a tool without a name');
    return passIf(bad.length === 0, { yes: 'all of them', no: `no ${what}: ${bad.join(', ')}` });
  });
