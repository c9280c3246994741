import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { refresh, register } from '../../oauth/client.ts';
import { type Attacked, expectRefusedToken, postForm, startAttacked } from './house.ts';

let at: Attacked;
beforeAll(async () => {
  at = await startAttacked();
});
afterAll(() => at.close());
afterEach(() => vi.useRealTimers());

const REFUSED = { status: 400, body: { error: 'invalid_grant' } };
const later = (seconds: number): void => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1_000 });
};

describe('a stolen refresh token', () => {
  test('used after its owner ends the whole family, and every access token of it', async () => {
    const first = await at.connect();
    const own = await refresh(at, at.clientId, first.refresh);
    later(31);
    expect(await refresh(at, at.clientId, first.refresh)).toMatchObject(REFUSED);
    expect(await refresh(at, at.clientId, own.body.refresh_token ?? '')).toMatchObject(REFUSED);
    await expectRefusedToken(await at.ask({ authorization: `Bearer ${own.body.access_token}` }));
  });

  test('used by the thief first ends when its owner comes', async () => {
    const { refresh: token } = await at.connect();
    const thief = await refresh(at, at.clientId, token);
    later(31);
    expect(await refresh(at, at.clientId, token)).toMatchObject(REFUSED);
    expect(await refresh(at, at.clientId, thief.body.refresh_token ?? '')).toMatchObject(REFUSED);
  });

  test('is worth nothing to another client', async () => {
    const other = String((await register(at)).body['client_id']);
    const { refresh: token } = await at.connect();
    expect(await at.unharmed([], () => refresh(at, other, token))).toMatchObject(REFUSED);
    expect((await refresh(at, at.clientId, token)).status).toBe(200);
  });

  test('gives no token for more scopes', async () => {
    const { refresh: token } = await at.connect({ scope: 'patient/Patient.rs' });
    const scope = 'patient/Patient.rs patient/Appointment.crus';
    const form = { grant_type: 'refresh_token', client_id: at.clientId, refresh_token: token, scope };
    const response = await at.unharmed([], () => postForm(`${at.issuer}/oauth/token`, form, {}));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_scope' });
  });

  test('gives no token for another resource', async () => {
    const { refresh: token } = await at.connect();
    const resource = 'https://evil.example/mcp';
    const form = { grant_type: 'refresh_token', client_id: at.clientId, refresh_token: token, resource };
    const response = await postForm(`${at.issuer}/oauth/token`, form, {});
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: 'invalid_target', error_description: expect.any(String) });
  });

  test('is worth nothing in another grant', async () => {
    const { refresh: token } = await at.connect();
    for (const grant_type of [
      'client_credentials',
      'password',
      'urn:ietf:params:oauth:grant-type:device_code',
    ]) {
      const form = { grant_type, client_id: at.clientId, refresh_token: token, username: 'j', password: 'p' };
      const response = await at.unharmed([], () => postForm(`${at.issuer}/oauth/token`, form, {}));
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        error: expect.stringMatching(/^un(?:supported|authorized)_/),
      });
    }
  });
});

describe('after revocation', () => {
  test.each(['refresh', 'access'] as const)(
    'by the %s token every token of the connection is dead at once',
    async (by) => {
      const tokens = await at.connect();
      expect((await at.ask({ authorization: `Bearer ${tokens.access}` })).status).toBe(200);
      const form = { token: tokens[by], client_id: at.clientId };
      expect((await postForm(`${at.issuer}/oauth/revoke`, form, {})).status).toBe(200);
      await expectRefusedToken(
        await at.unharmed([], () => at.ask({ authorization: `Bearer ${tokens.access}` })),
      );
      expect(await refresh(at, at.clientId, tokens.refresh)).toMatchObject(REFUSED);
    },
  );

  test('in the registry, by connection, the next call is refused', async () => {
    const { access } = await at.connect();
    await at.server.grants.revoke(String(decodeJwt(access)['grant_id']));
    await expectRefusedToken(await at.unharmed([], () => at.ask({ authorization: `Bearer ${access}` })));
  });

  test('another client cannot end somebody’s connection', async () => {
    const other = String((await register(at)).body['client_id']);
    const { access, refresh: token } = await at.connect();
    for (const stolen of [access, token]) {
      const form = { token: stolen, client_id: other };
      const response = await at.unharmed([], () => postForm(`${at.issuer}/oauth/revoke`, form, {}));
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('');
    }
    expect((await at.ask({ authorization: `Bearer ${access}` })).status).toBe(200);
  });
});
