import { spawnSync } from 'node:child_process';
import {
  CreateKeyCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
  SignCommand,
} from '@aws-sdk/client-kms';
import { fromWebToken } from '@aws-sdk/credential-provider-web-identity';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { epochSessionPolicy, googleWebIdentity } from '../../src/crypto/kms-google-credentials.ts';
import { KmsKeyring } from '../../src/crypto/kms-keyring.ts';
import { KmsTenantKeys } from '../../src/crypto/kms-tenant-keys.ts';
import { type KmsEmulator, startKmsEmulator } from '../../src/dev/kms-emulator/server.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { MOTO, startMoto } from '../stack/moto.ts';
import { propertiesOf, readTemplate, templatePath, textOf } from './template.ts';

const ACCOUNT = '000000000000';
const ROOT = { accessKeyId: 'AKIATESTROOT', secretAccessKey: 'x' };
const RIVERSIDE = 'riverside' as TenantId;
const IDENTITY = { app: '11111111111', rewrap: '22222222222', signing: '33333333333' } as const;
type Who = keyof typeof IDENTITY;
const roleArn = (who: Who) => `arn:aws:iam::${ACCOUNT}:role/chartseal-${who}`;
const PSEUDO = { 'AWS::Partition': 'aws', 'AWS::AccountId': ACCOUNT };
const ROLES = readTemplate('roles.yaml', {
  ...PSEUDO,
  AppIdentity: IDENTITY.app,
  RewrapIdentity: IDENTITY.rewrap,
  SigningIdentity: IDENTITY.signing,
  Audience: 'chartseal',
});
const tenantTemplate = (tenant: string) =>
  readTemplate('tenant.yaml', {
    ...PSEUDO,
    Tenant: tenant,
    AppRoleArn: roleArn('app'),
    RewrapRoleArn: roleArn('rewrap'),
    SigningRoleArn: roleArn('signing'),
  });
const contextOf = (tenant: string) => ({ app: 'chartseal', tenant, patient: 'pa_1', version: '1' });
const codeOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => 'done',
    (error: { code?: string; name: string }) => error.code ?? error.name,
  );

test('cfn-lint finds nothing in the templates, where it is installed', () => {
  const { status, stdout, error } = spawnSync(
    'cfn-lint',
    [templatePath('roles.yaml'), templatePath('tenant.yaml')],
    { encoding: 'utf8', timeout: 60_000 },
  );
  const absent = error !== undefined && 'code' in error && error.code === 'ENOENT';
  expect([absent ? 0 : status, stdout ?? '']).toEqual([0, absent ? (stdout ?? '') : '']);
});

test('the trail covers every Region, validates its files, and keeps them ten years where nobody overwrites', () => {
  expect(propertiesOf(ROLES, 'Trail')).toMatchObject({
    IsMultiRegionTrail: true,
    IncludeGlobalServiceEvents: true,
    EnableLogFileValidation: true,
  });
  expect(propertiesOf(ROLES, 'TrailBucket')).toMatchObject({
    ObjectLockConfiguration: { Rule: { DefaultRetention: { Years: 10 } } },
    PublicAccessBlockConfiguration: { BlockPublicPolicy: true, RestrictPublicBuckets: true },
  });
  expect(propertiesOf(tenantTemplate('riverside'), 'WrappingKey')).toMatchObject({
    EnableKeyRotation: true,
    RotationPeriodInDays: 365,
  });
});

describe('the templates’ roles and key policies, on the strict KMS emulator', () => {
  let kms: KmsEmulator;
  let wrappingKey: string;
  let signingKey: string;
  const root = () =>
    new KMSClient({
      endpoint: kms.url,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKIATESTROOT', secretAccessKey: 'x' },
    });

  beforeAll(async () => {
    const roles = (['AppRole', 'RewrapRole', 'SigningRole', 'EpochRole'] as const).map((name) => {
      const properties = propertiesOf(ROLES, name) as {
        RoleName: string;
        AssumeRolePolicyDocument: object;
        Policies: readonly { PolicyDocument: object }[];
      };
      return {
        arn: `arn:aws:iam::${ACCOUNT}:role/${properties.RoleName}`,
        trustPolicy: JSON.stringify(properties.AssumeRolePolicyDocument),
        policies: properties.Policies.map(({ PolicyDocument }) => JSON.stringify(PolicyDocument)),
      };
    });
    kms = await startKmsEmulator({
      roles,
      webIdentity: {
        verify: async (token) => {
          const [sub = '', aud = ''] = token.split('/');
          return { iss: 'https://accounts.google.com', sub, azp: sub, aud };
        },
      },
    });
    const made = async (name: 'WrappingKey' | 'SigningKey'): Promise<string> => {
      const { KeyPolicy, KeySpec, KeyUsage, Tags } = propertiesOf(tenantTemplate('riverside'), name) as {
        KeyPolicy: object;
        Tags: readonly { Key: string; Value: string }[];
        KeySpec?: 'ECC_NIST_EDWARDS25519';
        KeyUsage?: 'SIGN_VERIFY';
      };
      const command = new CreateKeyCommand({
        Policy: JSON.stringify(KeyPolicy),
        Tags: Tags.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value })),
        ...(KeySpec === undefined ? {} : { KeySpec }),
        ...(KeyUsage === undefined ? {} : { KeyUsage }),
      });
      return (await root().send(command)).KeyMetadata?.Arn ?? '';
    };
    wrappingKey = await made('WrappingKey');
    signingKey = await made('SigningKey');
  });
  afterAll(() => kms.close());

  /** The keyring of a Google service account that assumes a role. */
  const keyringOf = (who: Who, change: { identity?: string; audience?: string } = {}) => {
    const identity = change.identity ?? IDENTITY[who];
    const credentials = googleWebIdentity({
      roleArn: roleArn(who),
      audience: change.audience ?? 'chartseal',
      sts: { endpoint: kms.url },
      fetchToken: async (audience) => `${identity}/${audience}`,
    });
    return new KmsKeyring({
      kind: 'emulator',
      client: { endpoint: kms.url, region: 'us-east-1' },
      clientFor: (tenant) => ({ credentials: credentials(tenant) }),
    });
  };
  const clientOf = (who: Who): KMSClient =>
    new KMSClient({
      endpoint: kms.url,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: fromWebToken({
        roleArn: roleArn(who),
        webIdentityToken: `${IDENTITY[who]}/chartseal`,
        clientConfig: { endpoint: kms.url, region: 'us-east-1' },
      }),
    });
  const sign = (who: Who) =>
    clientOf(who).send(
      new SignCommand({
        KeyId: signingKey,
        Message: Buffer.from('checkpoint'),
        MessageType: 'RAW',
        SigningAlgorithm: 'ED25519_SHA_512',
      }),
    );

  test('the app makes and unwraps data keys of its tenant, the rewrap role turns them without seeing one', async () => {
    const { wrapped, secret } = await keyringOf('app').generate(wrappingKey, contextOf('riverside'));
    const turned = await keyringOf('rewrap').rewrap(wrapped, contextOf('riverside'), wrappingKey);
    expect((await keyringOf('app').unwrap(turned, contextOf('riverside'))).equals(secret)).toBe(true);
  });

  test('the wrong role is refused', async () => {
    const { wrapped } = await keyringOf('app').generate(wrappingKey, contextOf('riverside'));
    expect(await codeOf(keyringOf('rewrap').unwrap(wrapped, contextOf('riverside')))).toBe('KMS_DENIED');
    expect(await codeOf(keyringOf('signing').unwrap(wrapped, contextOf('riverside')))).toBe('KMS_DENIED');
    expect(await codeOf(keyringOf('app').rewrap(wrapped, contextOf('riverside'), wrappingKey))).toBe(
      'KMS_DENIED',
    );
    expect(await codeOf(keyringOf('signing').generate(wrappingKey, contextOf('riverside')))).toBe(
      'KMS_DENIED',
    );
  });

  test('the wrong tenant is refused, by whatever role', async () => {
    const { wrapped } = await keyringOf('app').generate(wrappingKey, contextOf('riverside'));
    expect(await codeOf(keyringOf('app').generate(wrappingKey, contextOf('lakeside')))).toBe('KMS_DENIED');
    expect(await codeOf(keyringOf('app').unwrap(wrapped, contextOf('lakeside')))).toBe('KMS_DENIED');
    expect(await codeOf(keyringOf('rewrap').rewrap(wrapped, contextOf('lakeside'), wrappingKey))).toBe(
      'KMS_DENIED',
    );
  });

  test('another service account, or a token for another audience, becomes no role', async () => {
    for (const change of [{ identity: IDENTITY.signing }, { audience: 'something-else' }])
      expect(await codeOf(keyringOf('app', change).generate(wrappingKey, contextOf('riverside')))).not.toBe(
        'done',
      );
  });

  test('the key jobs may be the app, to seal charts anew; the app may not be the key jobs', async () => {
    const jobs = keyringOf('app', { identity: IDENTITY.rewrap });
    expect(await codeOf(jobs.generate(wrappingKey, contextOf('riverside')))).toBe('done');
    const { wrapped } = await jobs.generate(wrappingKey, contextOf('riverside'));
    const app = keyringOf('rewrap', { identity: IDENTITY.app });
    expect(await codeOf(app.rewrap(wrapped, contextOf('riverside'), wrappingKey))).not.toBe('done');
  });

  test('the account’s administrator opens nothing with the key', async () => {
    const { wrapped } = await keyringOf('app').generate(wrappingKey, contextOf('riverside'));
    const administrator = new KmsKeyring({
      kind: 'emulator',
      client: {
        endpoint: kms.url,
        region: 'us-east-1',
        credentials: { accessKeyId: 'AKIATESTROOT', secretAccessKey: 'x' },
      },
    });
    expect(await codeOf(administrator.unwrap(wrapped, contextOf('riverside')))).toBe('KMS_DENIED');
  });

  test('the epoch role makes the next key with the same policy and ends the last, and reaches nothing else', async () => {
    const credentials = googleWebIdentity({
      roleArn: `arn:aws:iam::${ACCOUNT}:role/chartseal-epoch`,
      audience: 'chartseal',
      sts: { endpoint: kms.url },
      fetchToken: async (audience) => `${IDENTITY.rewrap}/${audience}`,
      sessionPolicyFor: epochSessionPolicy,
    })('');
    const where = { endpoint: kms.url, region: 'us-east-1' };
    const epochs = new KmsTenantKeys({ ...where, credentials });
    const old = await new KmsTenantKeys({ ...where, credentials: ROOT }).wrappingKey(RIVERSIDE);
    const before = await root().send(new GetKeyPolicyCommand({ KeyId: old }));
    const next = await epochs.successor(RIVERSIDE, old);
    const after = await root().send(new GetKeyPolicyCommand({ KeyId: next }));
    expect(after.Policy).toBe(before.Policy);
    expect(await epochs.isOurs(RIVERSIDE, next)).toBe(true);
    expect(await epochs.end(old, 7)).toBeGreaterThan(Date.now());
    // Neither a key that signs, nor one of somebody else, nor one without tags; and it opens nothing.
    const foreign = (await root().send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    for (const key of [signingKey, foreign]) expect(await codeOf(epochs.end(key, 7))).toBe('KMS_DENIED');
    const client = new KMSClient({ ...where, maxAttempts: 1, credentials });
    expect(await codeOf(client.send(new CreateKeyCommand({})))).toBe('AccessDeniedException');
    const use = { KeyId: next, KeySpec: 'AES_256', EncryptionContext: contextOf('riverside') } as const;
    expect(await codeOf(client.send(new GenerateDataKeyCommand(use)))).toBe('AccessDeniedException');
    // And nobody else ends a key.
    for (const who of ['app', 'rewrap', 'signing'] as const) {
      const command = new ScheduleKeyDeletionCommand({ KeyId: next, PendingWindowInDays: 7 });
      expect(await codeOf(clientOf(who).send(command))).toBe('AccessDeniedException');
    }
  });

  test('checkpoints are signed by the signing role alone; everybody may see the public half', async () => {
    expect((await sign('signing')).Signature).toHaveLength(64);
    for (const who of ['app', 'rewrap'] as const)
      expect(await codeOf(sign(who))).toBe('AccessDeniedException');
    const { PublicKey } = await clientOf('app').send(new GetPublicKeyCommand({ KeyId: signingKey }));
    expect(PublicKey?.length).toBeGreaterThan(32);
  });
});

describe(`the templates deployed ${MOTO === undefined ? '(moto absent: not deployed)' : 'to moto'}`, () => {
  test('the stacks come up, the key rotates, and the app seals by its role', async () => {
    if (MOTO === undefined) return expect(textOf('tenant.yaml')).toContain('EnableKeyRotation: true');
    const moto = await startMoto(MOTO);
    try {
      const roles = await deploy(moto.url, 'roles.yaml', {
        AppIdentity: IDENTITY.app,
        RewrapIdentity: IDENTITY.rewrap,
        SigningIdentity: IDENTITY.signing,
        AlarmEmail: 'security@clinic.example',
        StrongErasure: 'yes',
      });
      expect(roles['EpochRoleArn']).toMatch(/:role\/chartseal-epoch$/);
      expect(roles['AppRoleArn']).toMatch(/:role\/chartseal-app$/);
      const tenant = await deploy(moto.url, 'tenant.yaml', {
        Tenant: 'riverside',
        AppRoleArn: roles['AppRoleArn'] ?? '',
        RewrapRoleArn: roles['RewrapRoleArn'] ?? '',
        SigningRoleArn: roles['SigningRoleArn'] ?? '',
      });
      const key = tenant['WrappingKeyArn'] ?? '';
      const about = await jsonCall(moto.url, 'kms', 'TrentService.GetKeyRotationStatus', { KeyId: key });
      expect(about).toMatchObject({ KeyRotationEnabled: true });
      const credentials = googleWebIdentity({
        roleArn: roles['AppRoleArn'] ?? '',
        audience: 'chartseal',
        sts: { endpoint: moto.url },
        fetchToken: async () => 'moto-believes-any-token',
      });
      const keyring = new KmsKeyring({
        kind: 'emulator',
        client: { endpoint: moto.url, region: 'us-east-1' },
        clientFor: (of) => ({ credentials: credentials(of) }),
      });
      const { wrapped, secret } = await keyring.generate(key, contextOf('riverside'));
      expect((await keyring.unwrap(wrapped, contextOf('riverside'))).equals(secret)).toBe(true);
    } finally {
      moto.end();
    }
  }, 120_000);
});

const headersFor = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=AKIATEST/20261124/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});

/** Creates a stack, and answers its outputs. */
async function deploy(
  url: string,
  template: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const name = template.replace('.yaml', '');
  const query = async (action: string, more: Record<string, string>): Promise<string> => {
    const body = new URLSearchParams({ Action: action, Version: '2010-05-15', StackName: name, ...more });
    const headers = headersFor('cloudformation');
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(60_000) });
    const text = await response.text();
    if (!response.ok) throw new Error(text.slice(0, 2_000));
    return text;
  };
  const given = Object.entries(parameters).flatMap(([key, value], at) => [
    [`Parameters.member.${at + 1}.ParameterKey`, key],
    [`Parameters.member.${at + 1}.ParameterValue`, value],
  ]);
  await query('CreateStack', {
    // Moto takes a key's tags from a template under the names that KMS's own call has for them.
    TemplateBody: textOf(template).replaceAll(/^ +Tags:\n(?: +- \{ Key: .*\n)+/gm, ''),
    'Capabilities.member.1': 'CAPABILITY_NAMED_IAM',
    ...Object.fromEntries(given),
  });
  const described = await query('DescribeStacks', {});
  expect(described).toContain('CREATE_COMPLETE');
  const outputs = described.matchAll(
    /<OutputKey>([^<]+)<\/OutputKey>\s*<OutputValue>([^<]+)<\/OutputValue>/g,
  );
  return Object.fromEntries([...outputs].map(([, key = '', value = '']) => [key, value]));
}

async function jsonCall(url: string, service: string, target: string, body: object): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headersFor(service), 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  return response.json();
}
