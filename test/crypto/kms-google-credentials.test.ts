import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  googleWebIdentity,
  metadataToken,
  tenantSessionPolicy,
} from '../../src/crypto/kms-google-credentials.ts';
import { ACCOUNT, startKms, type TestKms } from './kms.ts';
import { rejectionOf } from './samples.ts';

const ROLE = `arn:aws:iam::${ACCOUNT}:role/chartseal-app`;
const AUDIENCE = 'chartseal-production';
const contextOf = (tenant: string) => ({ app: 'chartseal', tenant, patient: 'pa_1', version: '1' });

const trustPolicy = JSON.stringify({
  Statement: {
    Effect: 'Allow',
    Principal: { Federated: 'accounts.google.com' },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { 'accounts.google.com:oaud': AUDIENCE, 'accounts.google.com:sub': '1234' } },
  },
});

/** Believes `token-AUDIENCE-NUMBER` and remembers what it saw. */
async function startWithRoles(): Promise<{ kms: TestKms; tokens: string[] }> {
  const tokens: string[] = [];
  const kms = await startKms({
    roles: [{ arn: ROLE, trustPolicy }],
    webIdentity: {
      verify: async (token) => {
        const aud = /^token-(.+)-\d+$/.exec(token)?.[1];
        if (aud === undefined) throw new Error('not believed');
        tokens.push(token);
        return { iss: 'https://accounts.google.com', sub: '1234', azp: '1234', aud };
      },
    },
  });
  return { kms, tokens };
}

const keyPolicy = JSON.stringify({
  Statement: [
    { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
    { Effect: 'Allow', Principal: { AWS: ROLE }, Action: 'kms:*', Resource: '*' },
  ],
});

function keyringOf(kms: TestKms, more: { audience?: string; everyTenantIs?: string } = {}) {
  let minted = 0;
  const credentials = googleWebIdentity({
    roleArn: ROLE,
    audience: more.audience ?? AUDIENCE,
    sts: { endpoint: kms.url },
    fetchToken: async (audience) => `token-${audience}-${++minted}`,
  });
  return kms.keyring({
    client: { credentials: { accessKeyId: 'unused', secretAccessKey: 'unused' } },
    clientFor: (tenant) => ({ credentials: credentials(more.everyTenantIs ?? tenant) }),
  });
}

describe('a Google identity as an AWS role', () => {
  test('opens the tenant’s keys, with one session for many calls', async () => {
    const { kms } = await startWithRoles();
    const key = await kms.createKey({ Policy: keyPolicy });
    const keyring = keyringOf(kms);
    const { wrapped, secret } = await keyring.generate(key, contextOf('riverside'));
    expect((await keyring.unwrap(wrapped, contextOf('riverside'))).equals(secret)).toBe(true);
    const rewrapped = await keyring.rewrap(wrapped, contextOf('riverside'), key);
    expect((await keyring.unwrap(rewrapped, contextOf('riverside'))).equals(secret)).toBe(true);
    expect(kms.count('AssumeRoleWithWebIdentity')).toBe(1);
    expect(kms.events().at(-1)?.userIdentity.arn).toContain(':assumed-role/chartseal-app/chartseal');
  });

  test('each tenant has a session of its own, and KMS refuses it every other tenant', async () => {
    const { kms } = await startWithRoles();
    const key = await kms.createKey({ Policy: keyPolicy });
    const { wrapped } = await keyringOf(kms).generate(key, contextOf('riverside'));
    const confused = keyringOf(kms, { everyTenantIs: 'north' });
    expect(await rejectionOf(confused.unwrap(wrapped, contextOf('riverside')))).toBe('KMS_DENIED');
    expect(await rejectionOf(confused.generate(key, contextOf('riverside')))).toBe('KMS_DENIED');
    const both = keyringOf(kms);
    await both.generate(key, contextOf('riverside'));
    await both.generate(key, contextOf('north'));
    expect(kms.count('AssumeRoleWithWebIdentity')).toBe(4);
  });

  test('a fresh token is minted at each refresh', async () => {
    const { kms, tokens } = await startWithRoles();
    const provider = googleWebIdentity({
      roleArn: ROLE,
      audience: AUDIENCE,
      sts: { endpoint: kms.url },
      fetchToken: async (audience) => `token-${audience}-${tokens.length}`,
    })('riverside');
    const [first, second] = [await provider(), await provider()];
    expect(tokens).toEqual([`token-${AUDIENCE}-0`, `token-${AUDIENCE}-1`]);
    expect(first.accessKeyId).not.toBe(second.accessKeyId);
    expect(first.expiration?.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
  });

  test('a token for another audience, and one that is not believed, give no key', async () => {
    const { kms } = await startWithRoles();
    const key = await kms.createKey({ Policy: keyPolicy });
    const other = keyringOf(kms, { audience: 'another' });
    expect(await rejectionOf(other.generate(key, contextOf('riverside')))).toBe('KMS_DENIED');
    const forged = googleWebIdentity({
      roleArn: ROLE,
      audience: AUDIENCE,
      sts: { endpoint: kms.url },
      fetchToken: async () => 'forged',
    });
    const keyring = kms.keyring({ clientFor: (tenant) => ({ credentials: forged(tenant) }) });
    expect(await rejectionOf(keyring.generate(key, contextOf('riverside')))).toBe('KMS_DENIED');
  });

  test('the session policy is frozen', () => {
    expect(JSON.stringify(tenantSessionPolicy('riverside'))).toBe(
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:GenerateDataKey","kms:Decrypt",' +
        '"kms:ReEncryptFrom","kms:ReEncryptTo"],"Resource":"*","Condition":{"StringEquals":' +
        '{"kms:EncryptionContext:tenant":"riverside"}}}]}',
    );
  });
});

describe('the metadata server', () => {
  /** Google's name resolves only there, so the call is turned to a server of the test. */
  async function metadataServer(answer: { status: number; body: string }) {
    const seen: { url: string | undefined; flavor: unknown }[] = [];
    const server = createServer((request, response) => {
      seen.push({ url: request.url, flavor: request.headers['metadata-flavor'] });
      response.writeHead(answer.status).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const direct = globalThis.fetch;
    vi.stubGlobal('fetch', (url: string, init: RequestInit) =>
      direct(url.replace('http://metadata.google.internal', `http://127.0.0.1:${port}`), init),
    );
    onTestFinished(() => {
      vi.unstubAllGlobals();
      server.close();
    });
    return seen;
  }

  test('is asked for a full token of the audience, as Google’s header demands', async () => {
    const seen = await metadataServer({ status: 200, body: 'token-1\n' });
    expect(await metadataToken('chart seal')).toBe('token-1');
    expect(seen).toEqual([
      {
        url: '/computeMetadata/v1/instance/service-accounts/default/identity?audience=chart+seal&format=full',
        flavor: 'Google',
      },
    ]);
  });

  test.each([404, 302, 500])('that answers %i gives a retryable error', async (status) => {
    await metadataServer({ status, body: 'no' });
    await expect(metadataToken('chartseal')).rejects.toMatchObject({
      code: 'KMS_UNAVAILABLE',
      retryable: true,
    });
  });

  test('that is not there is KMS_UNAVAILABLE for the keyring too', async () => {
    const kms = await startKms();
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed')));
    onTestFinished(() => void vi.unstubAllGlobals());
    const credentials = googleWebIdentity({ roleArn: ROLE, audience: AUDIENCE, sts: { endpoint: kms.url } });
    const keyring = kms.keyring({ clientFor: (tenant) => ({ credentials: credentials(tenant) }) });
    const key = `arn:aws:kms:us-east-1:${ACCOUNT}:key/00000000-0000-4000-8000-000000000000`;
    expect(await rejectionOf(keyring.generate(key, contextOf('riverside')))).toBe('KMS_UNAVAILABLE');
  });
});
