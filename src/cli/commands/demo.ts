import { connectNewEra, connectOldEra } from '../../dev/demo/clients.ts';
import { converse, type Step } from '../../dev/demo/conversation.ts';
import { showEvidence } from '../../dev/demo/evidence.ts';
import { startStack } from '../../dev/stack.ts';
import { parseTenantId } from '../../kernel/ids.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { dataDir, johnAt, runningStack, storeWish } from '../local.ts';
import { playTamper } from '../play-tamper.ts';
import { bold, dim, green, out, red } from '../terminal.ts';

/** Plays the assistant against the local stack: books a visit, then shows what is behind it. */
export const demo: Command = {
  usage: '[--store firestore|postgres] [--tamper[=edit|delete|rollback|twin] [--keep]]',
  summary:
    'play the assistant: book a visit, show the sealed bytes and the audit; or alter the log and be found out',
  options: { store: { type: 'string' }, tamper: { type: 'string' }, keep: { type: 'boolean' } },
  bare: { tamper: 'edit' },
  run: async ({ values, positionals, json }) => {
    if (positionals.length > 0)
      throw new UsageError('This command takes options only; write --tamper=delete with its equals sign.');
    if (values['tamper'] !== undefined) return playTamper(values, json);
    if (values['keep'] === true) throw new UsageError('--keep goes with --tamper.');
    const stack = (await runningStack()) === null ? await startHere(values['store'], json) : null;
    try {
      const steps = await play((step) => {
        if (!json) out(render(step));
      });
      const ok = steps.every((step) => step.ok);
      if (json) out(JSON.stringify({ ok, steps }));
      else out(ok ? green('\nEverything is as it should be.') : red('\nSomething is not as it should be.'));
      return ok ? EXIT.ok : EXIT.no;
    } finally {
      await stack?.close();
    }
  },
};

async function startHere(store: unknown, json: boolean) {
  if (!json) out(dim('No local stack runs from this folder: starting one for the demo …'));
  return startStack({ port: 0, dataDir: dataDir(), store: storeWish(store) });
}

async function play(show: (step: Step) => void): Promise<Step[]> {
  const steps: Step[] = [];
  const tell = (step: Step): void => {
    steps.push(step);
    show(step);
  };
  const since = Date.now();
  const { composed, env } = await composeHere();
  try {
    const { mcp, person } = johnAt(env);
    const assistants = await Promise.all([connectOldEra(mcp, person), connectNewEra(mcp, person)]);
    for (const { era, listTools } of assistants) {
      const names = (await listTools()).map(({ name }) => name);
      tell({
        title: `connected by OAuth as John Doe, revision ${era}`,
        ok: names.length > 0,
        lines: [`Tools: ${names.join(', ')}`],
      });
    }
    const [older, newer] = assistants;
    const booked = await converse(older, newer, tell);
    await Promise.all(assistants.map((assistant) => assistant.close()));
    const tenant = parseTenantId('riverside');
    await showEvidence({ composed, tenant, user: 'usr_john', dataDir: dataDir(), since, booked }, tell);
    return steps;
  } finally {
    await composed.close();
  }
}

function render(step: Step): string {
  const mark = step.ok ? green('✓') : red('✗');
  return [`\n${mark} ${bold(step.title)}`, ...step.lines.map((line) => `    ${line}`)].join('\n');
}
