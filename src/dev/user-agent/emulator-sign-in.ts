import { StackError } from '../errors.ts';
import { DEMO_PEOPLE } from '../people.ts';

/**
 * Signs in at the Auth emulator by password.
 *
 * @returns the ID token.
 * @throws StackError `NO_SIGN_IN` with the emulator's own code (`EMAIL_NOT_FOUND`, …) and the people there are.
 */
export async function signInAtEmulator(options: {
  email: string;
  password: string;
  authEmulatorUrl: string;
}): Promise<string> {
  const address = '/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=demo';
  const response = await fetch(new URL(address, options.authEmulatorUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: options.email, password: options.password, returnSecureToken: true }),
    signal: AbortSignal.timeout(10_000),
  });
  const answer = (await response.json()) as { idToken?: string; error?: { message: string } };
  if (answer.idToken === undefined)
    throw new StackError(
      'NO_SIGN_IN',
      `Nobody signs in with that address and password (${answer.error?.message ?? response.status}). ` +
        `The local stack knows ${DEMO_PEOPLE.map(({ email }) => email).join(', ')}.`,
    );
  return answer.idToken;
}
