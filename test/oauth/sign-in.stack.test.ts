import { createLocalJWKSet, jwtVerify, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAccounts, type DemoAccount } from '../../src/dev/auth/accounts.ts';
import { type AuthEmulator, startAuthEmulator } from '../../src/dev/auth/emulator.ts';
import { authorizeAs } from '../../src/dev/user-agent/authorize-as.ts';
import { signInAtEmulator } from '../../src/dev/user-agent/emulator-sign-in.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { developmentOnly } from '../../src/oauth/development.ts';
import { firebaseSignIn } from '../../src/oauth/sign-in-firebase.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { authorizationRequest, redeem, refresh, register } from './client.ts';
import { type RunningServer, startServer } from './server.ts';

const projectId = 'demo-oauth-tests';
const password = 'correct horse battery staple';
const account = (userId: string, tenant?: string): DemoAccount => ({
  userId,
  email: `${userId}@example.com`,
  password,
  ...(tenant === undefined ? {} : { tenant }),
});
const accounts = [account('john', 'riverside'), account('ann', 'riverside'), account('stray')];

let emulator: AuthEmulator;
let signIn: ReturnType<typeof firebaseSignIn>;
let server: RunningServer;

beforeAll(async () => {
  emulator = await startAuthEmulator({ projectId });
  vi.stubEnv('FIREBASE_AUTH_EMULATOR_HOST', emulator.host);
  await createAccounts({ emulatorUrl: emulator.url, projectId, accounts });
  signIn = firebaseSignIn({ projectId, [developmentOnly]: true });
  server = await startServer({ store: createMemoryStore(), signIn });
});
afterAll(async () => {
  await server.close();
  await signIn.close();
  await emulator.close();
  vi.unstubAllEnvs();
});

const idTokenOf = (userId: string): Promise<string> =>
  signInAtEmulator({ email: `${userId}@example.com`, password, authEmulatorUrl: emulator.url });

/** Changes an account as an administrator would. */
async function administer(change: Record<string, unknown>): Promise<void> {
  const address = `${emulator.url}/identitytoolkit.googleapis.com/v1/projects/${projectId}/accounts:update`;
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer owner' },
    body: JSON.stringify(change),
  });
  expect(response.status).toBe(200);
}

describe('a person with a Firebase account', () => {
  const authorize = async (email: string, consent: 'allow' | 'deny') => {
    const clientId = String((await register(server)).body['client_id']);
    const request = authorizationRequest(server, clientId);
    const end = await authorizeAs({
      email,
      password,
      consent,
      authorizeUrl: request.url,
      authEmulatorUrl: emulator.url,
    });
    return { request, end, clientId };
  };

  test('connects a client, which refreshes and is disconnected when the account is disabled', async () => {
    const { request, end, clientId } = await authorize('ann@example.com', 'allow');
    const answer = await redeem(server, request, end.searchParams.get('code') ?? '');
    const { payload } = await jwtVerify(
      answer.body.access_token ?? '',
      createLocalJWKSet(server.server.jwks()),
      { issuer: server.issuer, audience: server.resource, typ: 'at+jwt' },
    );
    expect(payload).toMatchObject({ sub: 'ann', tenant: 'riverside', amr: ['pwd'] });
    const second = await refresh(server, clientId, answer.body.refresh_token ?? '');
    expect(second.status).toBe(200);
    await administer({ localId: 'ann', disableUser: true });
    const third = await refresh(server, clientId, second.body.refresh_token ?? '');
    expect(third).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('who does not allow it is sent back with access_denied', async () => {
    const { end } = await authorize('john@example.com', 'deny');
    expect(Object.fromEntries(end.searchParams)).toMatchObject({
      error: 'access_denied',
      iss: server.issuer,
    });
  });

  test('who belongs to no clinic is told so, and stops at the sign-in page', async () => {
    await expect(authorize('stray@example.com', 'allow')).rejects.toThrow('stopped at "Sign in" (HTTP 400)');
  });
});

describe('firebaseSignIn', () => {
  test('says who signed in, for which clinic, when and how', async () => {
    const person = await signIn.verify(await idTokenOf('john'));
    expect(person).toEqual({
      userId: 'john',
      tenant: 'riverside',
      authTime: expect.any(Number),
      amr: ['pwd'],
    });
    expect(Date.now() / 1000 - person.authTime).toBeLessThan(30);
  });

  test.each([
    ['empty', async () => ''],
    ['garbage', async () => 'not.a.token'],
    [
      'of another project',
      async () => forged({ aud: 'another', iss: 'https://securetoken.google.com/another' }),
    ],
    ['of an unknown account', async () => forged({ sub: 'nobody', user_id: 'nobody' })],
  ])('refuses a token that is %s', async (_name, token) => {
    await expect(signIn.verify(await token())).rejects.toMatchObject({
      code: 'SIGN_IN_TOKEN',
      retryable: false,
    });
  });

  test('refuses a token of an earlier sign-in, which may be a replay', async () => {
    const token = await idTokenOf('john');
    const later = firebaseSignIn({
      projectId,
      now: () => Date.now() + 5 * 60_000 + 1_000,
      [developmentOnly]: true,
    });
    await expect(later.verify(token)).rejects.toMatchObject({ code: 'SIGN_IN_STALE' });
    await later.close();
  });

  test('refuses an account without a clinic', async () => {
    await expect(signIn.verify(await idTokenOf('stray'))).rejects.toMatchObject({ code: 'SIGN_IN_TENANT' });
  });

  test('refuses a token from before the person was signed out everywhere', async () => {
    const token = await idTokenOf('john');
    const { authTime } = await signIn.verify(token);
    const connection = { userId: 'john' as UserId, tenant: 'riverside' as never, authTime };
    expect(await signIn.isActive?.(connection)).toBe(true);
    expect(await signIn.isActive?.({ ...connection, tenant: 'elsewhere' as never })).toBe(false);
    await administer({ localId: 'john', validSince: String(authTime + 1) });
    await expect(signIn.verify(token)).rejects.toMatchObject({ code: 'SIGN_IN_TOKEN' });
    expect(await signIn.isActive?.(connection)).toBe(false);
    await administer({ localId: 'john', validSince: String(authTime - 60) });
  });

  test('says that it may work later when the service does not answer', async () => {
    const token = await idTokenOf('john');
    vi.stubEnv('FIREBASE_AUTH_EMULATOR_HOST', '127.0.0.1:9');
    const cutOff = firebaseSignIn({ projectId, [developmentOnly]: true });
    await expect(cutOff.verify(token)).rejects.toMatchObject({
      code: 'SIGN_IN_UNAVAILABLE',
      retryable: true,
    });
    await cutOff.close();
    vi.stubEnv('FIREBASE_AUTH_EMULATOR_HOST', emulator.host);
  });

  describe('in production', () => {
    test('does not start beside an Auth emulator', () => {
      expect(() => firebaseSignIn({ projectId })).toThrow(expect.objectContaining({ code: 'SETUP' }));
    });

    test('refuses a token that nobody signed, though the emulator takes it', async () => {
      const token = await forged({});
      expect(await signIn.verify(token)).toMatchObject({ userId: 'john' });
      vi.stubEnv('FIREBASE_AUTH_EMULATOR_HOST', undefined);
      const production = firebaseSignIn({ projectId });
      await expect(production.verify(token)).rejects.toMatchObject({ code: 'SIGN_IN_TOKEN' });
      await production.close();
      vi.stubEnv('FIREBASE_AUTH_EMULATOR_HOST', emulator.host);
    });
  });
});

/** A token such as anyone can write: right in all but the signature, which is missing. */
async function forged(changes: Record<string, unknown>): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new UnsecuredJWT({
    iss: `https://securetoken.google.com/${projectId}`,
    aud: projectId,
    sub: 'john',
    user_id: 'john',
    auth_time: now,
    tenant: 'riverside',
    firebase: { identities: {}, sign_in_provider: 'password' },
    iat: now,
    exp: now + 3600,
    ...changes,
  }).encode();
}

describe('the demo accounts', () => {
  test('can be created twice, and get their claims and password back', async () => {
    await createAccounts({ emulatorUrl: emulator.url, projectId, accounts: [account('twice', 'one')] });
    await createAccounts({ emulatorUrl: emulator.url, projectId, accounts: [account('twice', 'two')] });
    expect(await signIn.verify(await idTokenOf('twice'))).toMatchObject({ userId: 'twice', tenant: 'two' });
  });

  test('say why they could not be created', async () => {
    const bad = { ...account('short', 'one'), password: '1' };
    await expect(createAccounts({ emulatorUrl: emulator.url, projectId, accounts: [bad] })).rejects.toThrow(
      'WEAK_PASSWORD',
    );
  });
});
