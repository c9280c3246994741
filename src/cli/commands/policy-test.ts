import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CaseResult, readCases, runCases } from '../../access/cases.ts';
import { loadPolicyEngine } from '../../access/policy-engine.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { green, out, red } from '../terminal.ts';

const CASES = join(import.meta.dirname, '../../access/cases.md');

/** Asks the policies every row of a case table. Exit 1 when one answer differs. */
export const policyTest: Command = {
  usage: '[FILE]',
  summary: 'ask the access policies every case of a table (src/access/cases.md)',
  options: {},
  run: async ({ positionals, json }) => {
    if (positionals.length > 1) throw new UsageError('Name one file: chartseal policy test FILE');
    const page = await readFile(positionals[0] ?? CASES, 'utf8').catch(() => {
      throw new UsageError('That file cannot be read. Check the path.');
    });
    const results = runCases(readCases(page), await loadPolicyEngine());
    const failed = results.filter(({ ok }) => !ok);
    if (json) {
      out(JSON.stringify({ cases: results.length, failed: failed.map(summaryOf) }));
    } else {
      for (const result of failed) out(explain(result));
      const score = `${results.length - failed.length} of ${results.length} cases are answered as the table says.`;
      out(failed.length === 0 ? green(score) : red(score));
    }
    return failed.length === 0 ? EXIT.ok : EXIT.no;
  },
};

const summaryOf = ({ line, text, answered }: CaseResult) => ({ line, case: text, answered });

function explain({ line, text, answered }: CaseResult): string {
  const by = answered.policies.length === 0 ? 'deny by default' : answered.policies.join(' ');
  return `${red('✗')} line ${line}: ${text}\n    answered: ${answered.permit ? 'permit' : 'refuse'} by ${by}`;
}
