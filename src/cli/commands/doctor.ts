import { examineConfiguration } from '../../dev/doctor/configuration.ts';
import { type Examination, examine } from '../../dev/doctor/examine.ts';
import type { Held } from '../../dev/doctor/token-facts.ts';
import { openWire } from '../../dev/doctor/wire.ts';
import { DEMO_PASSWORD } from '../../dev/people.ts';
import { obtainToken } from '../../dev/user-agent/obtain-token.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { findingLines } from '../findings.ts';
import { envHere } from '../here.ts';
import { requireStack } from '../local.ts';
import { bold, out } from '../terminal.ts';

/** Says why an assistant cannot connect to an MCP server, ours or anybody's; without an address, what stands in the way of production. */
export const doctor: Command = {
  usage: '[URL] [--as EMAIL] [--no-register]',
  summary:
    'examine how an assistant would connect to an MCP server; without URL, whether this environment is fit for production',
  options: { as: { type: 'string' }, 'no-register': { type: 'boolean' } },
  run: async ({ values, positionals, json }) => {
    if (positionals.length === 0) return ofConfiguration(json);
    const [typed = ''] = positionals;
    if (!/^https?:\/\//.test(typed) || URL.parse(typed) === null || positionals.length !== 1)
      throw new UsageError('Give the address as people type it: chartseal doctor https://clinic.example/mcp');
    const held = await heldFor(typed, values['as']);
    const register = values['no-register'] !== true;
    const found = await examine({ typed, held, register, wire: openWire() });
    out(json ? JSON.stringify(found) : render(found));
    if (!found.reachable) return EXIT.unknown;
    return found.findings.some(({ outcome }) => outcome === 'fail') ? EXIT.no : EXIT.ok;
  },
};

/** The environment that this command runs in, or that of the local stack. */
async function ofConfiguration(json: boolean): Promise<number> {
  const { env } = await envHere();
  const findings = examineConfiguration(env);
  const failed = findings.filter(({ outcome }) => outcome === 'fail').length;
  out(
    json
      ? JSON.stringify({ findings })
      : [bold('The configuration, as production'), ...findingLines(findings), '', `${failed} fail.`].join(
          '\n',
        ),
  );
  return failed === 0 ? EXIT.ok : EXIT.no;
}

/** A token from the environment, never from the command line, which other people of the machine can read. */
async function heldFor(typed: string, email: unknown): Promise<Held | null> {
  const given = process.env['CHARTSEAL_TOKEN'];
  if (given !== undefined) return { accessToken: given, refresh: null };
  if (typeof email !== 'string') return null;
  const env = await requireStack();
  const origin = env['CHARTSEAL_ORIGIN'] ?? '';
  if (new URL(typed).origin !== origin)
    throw new UsageError(`--as signs in at the local stack only, and that is at ${origin}.`);
  const answer = await obtainToken({
    origin,
    authEmulatorUrl: `http://${env['FIREBASE_AUTH_EMULATOR_HOST'] ?? ''}`,
    email,
    password: DEMO_PASSWORD,
  });
  const { access_token: accessToken, refresh_token: token, client_id: clientId } = answer;
  return { accessToken, refresh: token === undefined ? null : { token, clientId } };
}

function render({ address, reachable, findings }: Examination): string {
  const failed = findings.filter(({ outcome }) => outcome === 'fail').length;
  const open = findings.filter(({ outcome }) => outcome === 'not checked').length;
  const verdict = reachable
    ? `${findings.length - failed - open} pass, ${failed} fail, ${open} not checked.`
    : 'Nothing could be found out: the address does not answer.';
  return [bold(address), ...findingLines(findings), '', verdict].join('\n');
}
