import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBrowser } from '../../../src/dev/user-agent/browser.ts';
import { authorizationRequest, REDIRECT } from '../../oauth/client.ts';
import { type Attacked, startAttacked } from './house.ts';

let at: Attacked;
beforeAll(async () => {
  at = await startAttacked();
});
afterAll(() => at.close());

describe('a request with its PKCE weakened on the way', () => {
  test.each([
    ['taken away', { code_challenge: undefined, code_challenge_method: undefined }],
    ['made plain', { code_challenge_method: 'plain' }],
    ['without its method, which means plain', { code_challenge_method: undefined }],
    ['of another method', { code_challenge_method: 'S512' }],
    ['with a challenge that is no hash', { code_challenge: 'short' }],
    ['with an empty challenge', { code_challenge: '' }],
  ])('(%s) is refused at the client before anybody signs in', async (_name, changes) => {
    const { url } = authorizationRequest(at, at.clientId, changes);
    const end = await at.unharmed([], () => createBrowser(at.issuer).open(url));
    if (!(end instanceof URL)) throw new Error(`A page: HTTP ${end.status}`);
    expect(end.origin + end.pathname).toBe(REDIRECT);
    expect(Object.fromEntries(end.searchParams)).toEqual({
      error: 'invalid_request',
      error_description: expect.any(String),
      state: 'opaque-state',
      iss: at.issuer,
    });
  });
});
