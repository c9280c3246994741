import { join } from 'node:path';
import type { ByHand } from '../../dev/deploy/by-hand.ts';
import { type DeployFinding, dryRun } from '../../dev/deploy/dry-run.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { findingLines } from '../findings.ts';
import { bold, out } from '../terminal.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PROJECT = /^[a-z][a-z0-9-]{4,29}$/;

/** Checks a deployment from here, and lists the commands for what only the accounts' owners can do. */
export const deploy: Command = {
  usage: '--dry-run [--project FIREBASE_PROJECT]',
  summary: 'check what can be checked of a deployment, and list the rest as commands',
  options: { 'dry-run': { type: 'boolean' }, project: { type: 'string' } },
  run: async ({ values, positionals, json }) => {
    if (values['dry-run'] !== true || positionals.length > 0)
      throw new UsageError(
        'Say --dry-run: it checks, and lists the commands that deploy. It deploys nothing itself.',
      );
    const project = values['project'] ?? 'your-project';
    if (typeof project !== 'string' || !PROJECT.test(project))
      throw new UsageError('A Firebase project is named with 5 to 30 small letters, digits and hyphens.');
    const { findings, byHand } = await dryRun(ROOT, project);
    out(json ? JSON.stringify({ project, findings, byHand }) : render(project, findings, byHand));
    return findings.some(({ outcome }) => outcome === 'fail') ? EXIT.no : EXIT.ok;
  },
};

function render(project: string, findings: readonly DeployFinding[], byHand: readonly ByHand[]): string {
  const steps = byHand.flatMap(({ title, commands }, at) => [
    '',
    bold(`${at + 1}. ${title}`),
    ...commands.map((command) => `   ${command}`),
  ]);
  return [
    bold(`Deploying to ${project}: what can be seen from here`),
    ...findingLines(findings),
    '',
    bold('What cannot: run these in order (docs/runbook.md explains each)'),
    ...steps,
  ].join('\n');
}
