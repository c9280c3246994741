import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { policiesOf, policyPage } from '../../compliance/policies/policies.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { envHere } from '../here.ts';
import { policyFacts } from '../policy-facts.ts';
import { bold, out, table } from '../terminal.ts';

/** Writes the policies that the configuration is, with marked blanks for what only the organisation knows. */
export const compliancePolicies: Command = {
  usage: '[--out FOLDER]',
  summary:
    'write the policies from the configuration: keys, encryption, access, retention, incidents, processing',
  options: { out: { type: 'string' } },
  run: async ({ values, positionals, json }) => {
    if (positionals.length > 0)
      throw new UsageError('chartseal compliance policies takes --out FOLDER alone.');
    const { env } = await envHere();
    const facts = await policyFacts(env);
    const policies = policiesOf(facts).map((policy) => ({ ...policy, page: policyPage(policy, facts) }));
    const folder = values['out'];
    if (typeof folder === 'string') {
      await mkdir(folder, { recursive: true });
      for (const { id, page } of policies) await writeFile(join(folder, `${id}.md`), page);
    }
    if (json) out(JSON.stringify(policies.map(({ id, title, page }) => ({ id, title, page }))));
    else if (typeof folder !== 'string') out(policies.map(({ page }) => page).join('\n'));
    else out(`${bold(`Policies in ${folder}`)}\n\n${table(policies.map(rowOf))}`);
    return EXIT.ok;
  },
};

const rowOf = ({ id, title, page }: { id: string; title: string; page: string }): string[] => [
  `${id}.md`,
  title,
  `${page.split('[fill in:').length - 1} blanks to fill in`,
];
