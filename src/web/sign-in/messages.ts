const WRONG = 'The email or password is not right. Check both and try again.';

const MESSAGES: Readonly<Record<string, string>> = {
  'auth/too-many-requests': 'Too many attempts. Wait a few minutes and try again.',
  'auth/network-request-failed': 'There is no connection to the sign-in service. Check yours and try again.',
  'auth/multi-factor-auth-required': 'This account has a second sign-in step, which this page cannot do yet.',
  'auth/internal-error': 'Sign-in is not available right now. Try again in a minute.',
};

/** What to tell the person for one of Firebase's codes. A wrong email and a wrong password look the same. */
export function messageFor(code: string): string {
  return MESSAGES[code] ?? WRONG;
}
