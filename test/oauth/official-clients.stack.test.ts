import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../src/dev/backends/free-port.ts';
import { connectNewEra, connectOldEra } from '../../src/dev/demo/clients.ts';
import { DEMO_PASSWORD } from '../../src/dev/people.ts';
import { startStack } from '../../src/dev/stack.ts';
import { authorizeAs } from '../../src/dev/user-agent/authorize-as.ts';
import { startTestStack, type TestStack } from '../e2e/stack.ts';

const REDIRECT = 'http://127.0.0.1:9/callback';
const BIN = join(import.meta.dirname, '../../node_modules/.bin');
const INSPECTOR = join(BIN, 'mcp-inspector');
const http = { [oauth.allowInsecureRequests]: true } as const;

describe('with nothing but the address', () => {
  let at: TestStack;
  let mcp: URL;
  beforeAll(async () => {
    at = await startTestStack(startStack, { store: 'postgres' });
    mcp = new URL(`${at.stack.origin}/mcp`);
  });
  afterAll(async () => at?.close());
  const person = () => ({
    email: 'john@example.com',
    password: DEMO_PASSWORD,
    authEmulatorUrl: `http://${at.stack.env['FIREBASE_AUTH_EMULATOR_HOST'] ?? ''}`,
  });

  test.each([
    ['1.32', connectOldEra],
    ['2.x', connectNewEra],
  ])(
    'the official MCP client %s connects, registers, signs in and lists the tools',
    async (_name, connect) => {
      const client = await connect(mcp, person());
      expect((await client.listTools()).map(({ name }) => name)).toContain('whoAmI');
      expect((await client.call('whoAmI', {})).isError).not.toBe(true);
      await client.close();
    },
  );

  test('oauth4webapi discovers, registers, signs in, refreshes and revokes, and finds every answer valid', async () => {
    const resource = await oauth.processResourceDiscoveryResponse(
      mcp,
      await oauth.resourceDiscoveryRequest(mcp, http),
    );
    const issuer = new URL(resource.authorization_servers?.[0] ?? '');
    const as = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...http }),
    );
    const wanted = { redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' };
    const client = await oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(as, wanted, http),
    );
    const verifier = oauth.generateRandomCodeVerifier();
    const authorizeUrl = new URL(as.authorization_endpoint ?? '');
    authorizeUrl.search = new URLSearchParams({
      client_id: client.client_id,
      response_type: 'code',
      redirect_uri: REDIRECT,
      scope: 'patient/Patient.rs',
      state: 'opaque',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      resource: resource.resource,
    }).toString();
    const end = await authorizeAs({ ...person(), authorizeUrl, consent: 'allow' });
    const params = oauth.validateAuthResponse(as, client, end, 'opaque');
    const exchange = await oauth.authorizationCodeGrantRequest(
      as,
      client,
      oauth.None(),
      params,
      REDIRECT,
      verifier,
      http,
    );
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, exchange);
    const again = await oauth.refreshTokenGrantRequest(
      as,
      client,
      oauth.None(),
      tokens.refresh_token ?? '',
      http,
    );
    const refreshed = await oauth.processRefreshTokenResponse(as, client, again);
    expect((await at.call(refreshed.access_token, 'whoAmI')).isError).not.toBe(true);
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, oauth.None(), refreshed.access_token, http),
    );
    const refused = await at.post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}', refreshed.access_token);
    expect(refused.status).toBe(401);
  });

  test('the MCP Inspector connects, registers, signs in and lists the tools', async () => {
    const home = mkdtempSync(join(tmpdir(), 'chartseal-inspector-'));
    const args = ['--cli', mcp.href, '--transport', 'http', '--method', 'tools/list'];
    // It would open a browser; without one it prints the address and listens for the answer.
    const env = {
      ...process.env,
      HOME: home,
      MCP_AUTO_OPEN_ENABLED: 'true',
      MCP_INSPECTOR_SECRET_STORE: 'memory',
    };
    const inspector = spawn(INSPECTOR, args, { env, timeout: 50_000 });
    let said = '';
    let answered = false;
    const hear = async (chunk: Buffer): Promise<void> => {
      said += chunk.toString();
      const [authorizeUrl] = /http:\S+\/oauth\/authorize\?\S+(?=\s)/.exec(said) ?? [];
      if (authorizeUrl === undefined || answered) return;
      answered = true;
      await fetch(await authorizeAs({ ...person(), authorizeUrl, consent: 'allow' }));
    };
    for (const stream of [inspector.stdout, inspector.stderr])
      stream.on('data', (chunk: Buffer) => void hear(chunk));
    const [code] = (await once(inspector, 'exit')) as [number | null];
    rmSync(home, { recursive: true, force: true });
    expect(answered).toBe(true);
    expect(code).toBe(0);
    expect(said).toContain('"whoAmI"');
  });

  test('the conformance suite finds nothing wrong with the authorization server', async () => {
    const port = await freePort();
    const { client_id: clientId } = (await (
      await fetch(`${at.stack.origin}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ redirect_uris: [`http://127.0.0.1:${port}/callback`] }),
      })
    ).json()) as { client_id: string };
    const options = { url: at.stack.origin, 'client-id': clientId, resource: mcp.href, port: String(port) };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const suite = spawn(join(BIN, 'conformance'), ['authorization', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    let answered = false;
    for await (const chunk of suite.stdout) {
      said += String(chunk);
      // It waits for somebody who opens this address in a browser.
      const [authorizeUrl] = /http:\S+\/oauth\/authorize\?\S+(?=\s)/.exec(said) ?? [];
      if (authorizeUrl === undefined || answered) continue;
      answered = true;
      await fetch(await authorizeAs({ ...person(), authorizeUrl, consent: 'allow' }));
    }
    expect(said).toContain('authorization-code-grant: 1 passed, 0 failed');
    expect(said).toMatch(/Total: 3 passed, 0 failed/);
  });
});
