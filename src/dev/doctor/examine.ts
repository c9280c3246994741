import type { Check, Judgement } from './check.ts';
import { FLOW_CHECKS } from './checks/flow.ts';
import { ISSUER_CHECKS } from './checks/issuer.ts';
import { METADATA_CHECKS } from './checks/metadata.ts';
import { RESOURCE_CHECKS } from './checks/resource.ts';
import { TOKEN_CHECKS } from './checks/token.ts';
import { type GatherOptions, gather } from './facts.ts';

/** Every check, in the order in which a connection would meet it. */
export const CHECKS: readonly Check[] = [
  ...RESOURCE_CHECKS,
  ...METADATA_CHECKS,
  ...ISSUER_CHECKS,
  ...FLOW_CHECKS,
  ...TOKEN_CHECKS,
];

/** One line of the report. */
export type Finding = Pick<Check, 'id' | 'title' | 'cure'> & Judgement;

/** What the examination found. `reachable` false means that nothing can be said. */
export interface Examination {
  readonly address: string;
  readonly reachable: boolean;
  readonly findings: readonly Finding[];
}

/** Examines an MCP server as ChatGPT would meet it. Ends within the wire's time, whatever the server does. */
export async function examine(options: GatherOptions): Promise<Examination> {
  const facts = await gather(options);
  const findings = CHECKS.map(({ id, title, cure, judge }) => ({ id, title, cure, ...judge(facts) }));
  return { address: options.typed, reachable: facts.anonymous !== null, findings };
}
