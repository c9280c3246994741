import { DEMO_PASSWORD, DEMO_PEOPLE } from '../../dev/people.ts';
import { type Stack, type StackOptions, startStack } from '../../dev/stack.ts';
import { startSuite } from '../../dev/suite.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { dataDir, storeWish } from '../local.ts';
import { bold, dim, out, table } from '../terminal.ts';

/** Starts the local stack and serves until it is told to stop. */
export const dev: Command = {
  usage: '[--port N] [--store firestore|postgres]',
  summary: 'start the local stack: store, sign-in, KMS, and the server',
  options: { port: { type: 'string' }, store: { type: 'string' } },
  run: async ({ values, json }) => {
    return serve(startStack, { values, json });
  },
};

/** The deployable bundle in the Firebase Emulator Suite, with the addresses that production has. */
export const emulators: Command = {
  usage: '[--port N]',
  summary: 'start the deployable bundle in the Firebase Emulator Suite',
  options: { port: { type: 'string' } },
  run: ({ values, json }) => serve(startSuite, { values, json }),
};

async function serve(
  start: (options: StackOptions) => Promise<Stack>,
  { values, json }: { values: Readonly<Record<string, unknown>>; json: boolean },
): Promise<number> {
  const started = performance.now();
  if (!json) out(dim('Starting the local stack …'));
  const stack = await start({
    port: portOf(values['port'] ?? process.env['PORT']),
    dataDir: dataDir(),
    store: storeWish(values['store']),
    onFault: ({ name, code }) => process.stderr.write(`fault: ${name} ${code}\n`),
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  out(json ? JSON.stringify({ origin: stack.origin, ...stack.parts }) : greeting(stack, seconds));
  await stopSignal();
  if (!json) out(dim('\nStopping …'));
  await stack.close();
  return EXIT.ok;
}

function portOf(text: unknown): number {
  const port = Number(text ?? 8787);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError('The port is a number from 0 to 65535.');
  return port;
}

/** Waits for Ctrl-C or a polite kill. A second Ctrl-C ends at once. */
function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  return promise;
}

function greeting(stack: Stack, seconds: string): string {
  const people = DEMO_PEOPLE.map(({ email, note, tenant }) => [email, note, tenant]);
  return [
    `${bold('Chartseal')} is ready in ${seconds} s at ${bold(stack.origin)}`,
    '',
    table(Object.entries(stack.parts).map(([name, what]) => [name, what])),
    '',
    `MCP address   ${stack.origin}/mcp`,
    `People        all sign in with the password ${bold(DEMO_PASSWORD)} (synthetic, local only)`,
    table(people),
    '',
    'Try next, in another terminal:',
    table([
      ['npm run demo', 'books a visit as an assistant would, then shows the sealed bytes and the audit'],
      ['npx chartseal token --as john@example.com', 'an access token for calls of your own'],
      ['npx chartseal patient import FILE', 'seals a FHIR R4 bundle of yours as a chart'],
    ]),
    dim('  With the MCP Inspector:'),
    `  npx mcp-inspector --cli ${stack.origin}/mcp --transport http --method tools/list \\`,
    '    --header "Authorization: Bearer $(npx chartseal token --as john@example.com)"',
    '',
    dim('Ctrl-C stops everything.'),
  ].join('\n');
}
