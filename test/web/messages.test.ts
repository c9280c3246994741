import { describe, expect, test } from 'vitest';
import { messageFor } from '../../src/web/sign-in/messages.ts';

describe('what the sign-in page says', () => {
  test('does not tell a wrong password from an account that is unknown or closed', () => {
    const codes = [
      'auth/wrong-password',
      'auth/user-not-found',
      'auth/invalid-credential',
      'auth/user-disabled',
    ];
    expect(new Set(codes.map(messageFor))).toEqual(
      new Set(['The email or password is not right. Check both and try again.']),
    );
  });

  test('says what to do about everything else', () => {
    const codes = [
      'auth/invalid-verification-code',
      'auth/invalid-multi-factor-session',
      'auth/too-many-requests',
      'auth/network-request-failed',
      'auth/multi-factor-auth-required',
      'auth/internal-error',
    ];
    const messages = codes.map(messageFor);
    expect(new Set(messages).size).toBe(codes.length);
    for (const message of messages) expect(message).toMatch(/again|Ask your clinic/);
  });
});
