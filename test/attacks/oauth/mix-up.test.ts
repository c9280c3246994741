import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBrowser } from '../../../src/dev/user-agent/browser.ts';
import { authorizationRequest, connect, redeem, register } from '../../oauth/client.ts';
import { type Attacked, expectRefusedToken, openConsent, startAttacked } from './house.ts';

/** Two clinics, one client: an attacker mixes up what came from which. */
let at: Attacked;
let other: Attacked;
beforeAll(async () => {
  [at, other] = await Promise.all([startAttacked(), startAttacked()]);
});
afterAll(() => Promise.all([at.close(), other.close()]));

const discovered = async (of: Attacked): Promise<oauth.AuthorizationServer> =>
  oauth.processDiscoveryResponse(
    new URL(of.issuer),
    await oauth.discoveryRequest(new URL(of.issuer), {
      algorithm: 'oauth2',
      [oauth.allowInsecureRequests]: true,
    }),
  );

describe('a mix-up', () => {
  test('of two issuers is seen by a client, because every response names its issuer', async () => {
    const { browser, consent, csrf } = await openConsent(at);
    const end = await browser.submit(consent, `${consent.url.pathname}/consent`, { csrf, decision: 'allow' });
    if (!(end instanceof URL)) throw new Error('No redirect');
    const client: oauth.Client = { client_id: at.clientId };
    const mine = await discovered(at);
    expect(oauth.validateAuthResponse(mine, client, end, 'opaque-state').get('code')).not.toBeNull();
    const theirs = await discovered(other);
    expect(() => oauth.validateAuthResponse(theirs, client, end, 'opaque-state')).toThrow(/iss/);
  });

  test('is seen on an error response too', async () => {
    const { url } = authorizationRequest(at, at.clientId, { prompt: 'none' });
    const end = await createBrowser(at.issuer).open(url);
    if (!(end instanceof URL)) throw new Error('No redirect');
    const theirs = await discovered(other);
    expect(() => oauth.validateAuthResponse(theirs, { client_id: at.clientId }, end, 'opaque-state')).toThrow(
      /iss/,
    );
  });

  test('of codes: another issuer’s code is worth nothing here', async () => {
    const request = authorizationRequest(other, other.clientId);
    const code = await connect(other, request);
    const mine = String((await register(at)).body['client_id']);
    const answer = await at.unharmed([], () => redeem(at, { ...request, clientId: mine }, code));
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('of tokens: another clinic’s token opens nothing here', async () => {
    const { access } = await other.connect();
    await expectRefusedToken(await at.unharmed([], () => at.ask({ authorization: `Bearer ${access}` })));
  });

  test('of resources: a token for the other address cannot be asked for here', async () => {
    const { url } = authorizationRequest(at, at.clientId, { resource: other.resource });
    const end = await at.unharmed([], () => createBrowser(at.issuer).open(url));
    expect((end as URL).searchParams.get('error')).toBe('invalid_target');
  });
});
