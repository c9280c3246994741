const WRONG = 'The email or password is not right. Check both and try again.';

const MESSAGES: Readonly<Record<string, string>> = {
  'auth/invalid-verification-code': 'That code is not right. Wait for the next one and try again.',
  'auth/invalid-multi-factor-session': 'That took too long. Sign in again.',
  'auth/too-many-requests': 'Too many attempts. Wait a few minutes and try again.',
  'auth/network-request-failed': 'There is no connection to the sign-in service. Check yours and try again.',
  // Codes by text message would need a script of Google's on this page.
  'auth/multi-factor-auth-required':
    'This page takes codes of an authenticator app only. Ask your clinic for one.',
  'auth/internal-error': 'Sign-in is not available right now. Try again in a minute.',
};

/** What to tell the person for one of Firebase's codes. A wrong email and a wrong password look the same. */
export function messageFor(code: string): string {
  return MESSAGES[code] ?? WRONG;
}
