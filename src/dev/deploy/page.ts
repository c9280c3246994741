import { ACCOUNTS, FUNCTIONS, RUN_AS } from '../../hosting.ts';
import { stepsByHand } from './by-hand.ts';

const HEAD = `# Google’s side, command by command

Written from \`src/hosting.ts\` and \`src/collections.ts\`; a test holds this page to them (\`npx vitest run test/infra/google
--project unit -u\` writes it anew). \`npm run deploy -- --dry-run --project PROJECT\` prints the same for a project of yours.
`;

/** Everything that the Google side is set to, and the commands that set it, for the project `PROJECT`. */
export function deploymentPage(): string {
  const rows = Object.entries(FUNCTIONS).map(([name, options]) => {
    const { memory, timeoutSeconds, ingressSettings } = options;
    const least = 'minInstances' in options ? options.minInstances : 0;
    const started = 'schedule' in options ? options.schedule : name === 'jobStep' ? 'Cloud Tasks' : 'HTTP';
    const account = ACCOUNTS[RUN_AS[name as keyof typeof FUNCTIONS] ?? 'app'];
    return `| ${[name, started, options.region, memory, `${timeoutSeconds} s`, least, ingressSettings, account].join(' | ')} |`;
  });
  const table = [
    '| Function | Started by | Region | Memory | Timeout | Min. instances | Ingress | Runs as |',
    `|${'---|'.repeat(8)}`,
    ...rows,
  ].join('\n');
  const steps = stepsByHand('PROJECT').map(({ title, commands }, at) =>
    [
      `## ${at + 1}. ${title}`,
      ...(commands.length > 0 ? [`\`\`\`\n${commands.join('\n')}\n\`\`\``] : []),
    ].join('\n\n'),
  );
  return `${[HEAD.trimEnd(), table, ...steps].join('\n\n')}\n`;
}
