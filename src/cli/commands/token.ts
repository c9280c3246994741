import { DEMO_PASSWORD } from '../../dev/people.ts';
import { obtainToken } from '../../dev/user-agent/obtain-token.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { requireStack } from '../local.ts';
import { out } from '../terminal.ts';

/** An access token of the local stack, through the real flow: registration, sign-in, consent, code, token. */
export const token: Command = {
  usage: '--as EMAIL [--scope "S …"]',
  summary: 'print an access token of a demo person (local stack only)',
  options: { as: { type: 'string' }, scope: { type: 'string' } },
  run: async ({ values, json }) => {
    const email = values['as'];
    if (typeof email !== 'string') throw new UsageError('Say whose token: --as john@example.com');
    const env = await requireStack();
    const answer = await obtainToken({
      origin: env['CHARTSEAL_ORIGIN'] ?? '',
      authEmulatorUrl: `http://${env['FIREBASE_AUTH_EMULATOR_HOST'] ?? ''}`,
      email,
      password: DEMO_PASSWORD,
      ...(typeof values['scope'] === 'string' ? { scope: values['scope'] } : {}),
    });
    out(json ? JSON.stringify(answer) : answer.access_token);
    return EXIT.ok;
  },
};
