import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TenantId, UserId } from '../../src/kernel/ids.ts';
import { OAuthError } from '../../src/oauth/errors.ts';
import type { SignIn } from '../../src/oauth/sign-in.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { authorizationRequest, connect, redeem, register } from './client.ts';
import { type RunningServer, startServer } from './server.ts';

const signIn: SignIn = {
  verify: async (idToken) => {
    if (idToken !== 'john') throw new OAuthError('SIGN_IN_TOKEN', 'Sign in again.');
    return {
      userId: 'uid-john' as UserId,
      tenant: 'riverside' as TenantId,
      authTime: Math.floor(Date.now() / 1000),
      amr: ['pwd'],
    };
  },
};

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ store: createMemoryStore(), signIn });
});
afterAll(() => server.close());

describe('connecting a client', () => {
  test('registers, signs in, consents, and gets a token for the MCP address only', async () => {
    const { body, status } = await register(server);
    expect(status).toBe(201);
    const request = authorizationRequest(server, String(body['client_id']));
    const code = await connect(server, request);
    const token = await redeem(server, request, code);
    expect(token.body).toMatchObject({ token_type: 'Bearer', expires_in: 600 });
    const { payload, protectedHeader } = await jwtVerify(
      token.body.access_token ?? '',
      createLocalJWKSet(server.server.jwks()),
    );
    expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(payload).toMatchObject({
      aud: server.resource,
      iss: server.issuer,
      sub: 'uid-john',
      tenant: 'riverside',
    });
  });
});
