import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createKey, encrypt } from './calls.ts';
import { ACCOUNT, clientOf, emulator, errorName, movableClock, REGION, started } from './harness.ts';
import { assume, callSts, trusting } from './sts-calls.ts';

const ROLE = `arn:aws:iam::${ACCOUNT}:role/chartseal-app`;

describe('AssumeRoleWithWebIdentity', () => {
  test('gives temporary credentials that act as the role', async () => {
    const kms = await emulator({ webIdentity: trusting });
    const role = await assume(kms.url, ROLE);
    expect(role.accessKeyId).toMatch(/^ASIA[0-9A-F]{16}$/);
    // A role without any policy may do nothing, which says who the caller is taken for.
    const denied = clientOf(kms.url, role).send(new ListKeysCommand({}));
    await expect(denied).rejects.toThrow(
      `assumed-role/chartseal-app/app is not authorized to perform: kms:ListKeys`,
    );
    expect(kms.events()).toMatchObject([
      {
        eventSource: 'sts.amazonaws.com',
        eventName: 'AssumeRoleWithWebIdentity',
        requestParameters: { roleArn: ROLE, roleSessionName: 'app' },
      },
      { eventName: 'ListKeys', userIdentity: { type: 'AssumedRole', accessKeyId: role.accessKeyId } },
    ]);
    expect(JSON.stringify(kms.events())).not.toContain('good');
  });

  test('is what the SDK itself calls when it is told of a token file and a role', async () => {
    const kms = await emulator({ webIdentity: trusting });
    const root = clientOf(kms.url);
    const key = await createKey(root, { Policy: policyFor(ROLE) });
    const folder = mkdtempSync(join(tmpdir(), 'kms-emulator-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'token'), 'good');
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'token'));
    vi.stubEnv('AWS_ROLE_ARN', ROLE);
    vi.stubEnv('AWS_ENDPOINT_URL_STS', kms.url);
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'none'));
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'none'));
    const client = new KMSClient({ endpoint: kms.url, region: REGION, maxAttempts: 1 });
    onTestFinished(() => client.destroy());
    expect(await errorName(encrypt(client, { key }))).toBe('none');
    expect(kms.events().at(-1)?.userIdentity.arn).toContain(':assumed-role/chartseal-app/');
  });

  test.each([
    ['a token that is not believed', { WebIdentityToken: 'bad!' }, 'InvalidIdentityToken'],
    ['no token', { WebIdentityToken: '' }, 'ValidationError'],
    ['a role of another account', { RoleArn: 'arn:aws:iam::111111111111:role/app' }, 'AccessDenied'],
    ['no role', { RoleArn: 'arn:aws:iam::000000000000:user/somebody' }, 'AccessDenied'],
    ['a session name with a space', { RoleSessionName: 'a b' }, 'ValidationError'],
    ['too short a session', { DurationSeconds: '899' }, 'ValidationError'],
    ['a session policy that is no policy', { Policy: '{}' }, 'MalformedPolicyDocument'],
    ['managed policies', { 'PolicyArns.member.1.arn': 'arn:aws:iam::aws:policy/x' }, 'ValidationError'],
    ['another action', { Action: 'GetFederationToken' }, 'InvalidAction'],
  ])('%s is refused', async (_, parameters, expected) => {
    const kms = await emulator({ webIdentity: trusting });
    const refused = await assume(kms.url, ROLE, parameters as unknown as Record<string, string>);
    expect(refused.error).toBe(expected);
    expect(refused.status).toBe(expected === 'AccessDenied' ? 403 : 400);
    expect(refused.sessionToken).toBe('');
  });

  test('believes no token unless it was told whom to ask', async () => {
    const kms = await emulator();
    expect((await assume(kms.url, ROLE)).error).toBe('InvalidIdentityToken');
  });

  test.each([
    ['azp-1', 'chartseal', null],
    ['chartseal', 'chartseal', 'AccessDenied'],
    ['azp-1', 'another', 'AccessDenied'],
  ])('with a trust policy on aud %s and oaud %s: %s', async (aud, oaud, expected) => {
    const condition = { StringEquals: { 'accounts.google.com:aud': aud, 'accounts.google.com:oaud': oaud } };
    const trustPolicy = JSON.stringify({
      Statement: {
        Effect: 'Allow',
        Principal: { Federated: 'accounts.google.com' },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: condition,
      },
    });
    const kms = await emulator({ webIdentity: trusting, roles: [{ arn: ROLE, trustPolicy }] });
    expect((await assume(kms.url, ROLE)).error).toBe(expected);
    expect((await assume(kms.url, `${ROLE}-2`)).error).toBe('AccessDenied');
  });
});

describe('temporary credentials', () => {
  test('end with their time', async () => {
    const clock = movableClock();
    const kms = await emulator({ webIdentity: trusting, clock: clock.now });
    const role = await assume(kms.url, ROLE, { DurationSeconds: '900' });
    clock.advanceDays(900 / 86_400);
    const late = clientOf(kms.url, role).send(new ListKeysCommand({}));
    expect(await errorName(late)).toBe('ExpiredTokenException');
  });

  test('need their session token, and no other', async () => {
    const kms = await emulator({ webIdentity: trusting });
    const [one, two] = [await assume(kms.url, ROLE), await assume(kms.url, ROLE)];
    const tries = [
      { accessKeyId: one.accessKeyId },
      { accessKeyId: one.accessKeyId, sessionToken: two.sessionToken },
      { accessKeyId: one.accessKeyId, sessionToken: 'nonsense' },
      { accessKeyId: 'AKIATESTROOT', sessionToken: one.sessionToken },
    ];
    for (const credentials of tries) {
      const sent = clientOf(kms.url, credentials).send(new ListKeysCommand({}));
      expect(await errorName(sent)).toBe('UnrecognizedClientException');
    }
  });
});

test('AssumeRole works for the root user and not without credentials', async () => {
  const { kms } = await started();
  const parameters = { Action: 'AssumeRole', RoleArn: ROLE };
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIATESTROOT/20260101/us-east-1/sts/aws4_request, Signature=x`;
  const role = await callSts(kms.url, parameters, { authorization });
  expect(role.accessKeyId).toMatch(/^ASIA/);
  expect((await callSts(kms.url, parameters)).error).toBe('MissingAuthenticationTokenException');
});

function policyFor(role: string): string {
  const Principal = { AWS: [`arn:aws:iam::${ACCOUNT}:root`, role] };
  return JSON.stringify({ Statement: [{ Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' }] });
}
