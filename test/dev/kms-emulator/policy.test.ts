import {
  CreateKeyCommand,
  DescribeKeyCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  type KMSClient,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  SignCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { createKey, decrypt, encrypt } from './calls.ts';
import { ACCOUNT, clientOf, emulator, errorMessage, errorName } from './harness.ts';
import { assume, trusting } from './sts-calls.ts';

const ROOT = `arn:aws:iam::${ACCOUNT}:root`;
const APP = `arn:aws:iam::${ACCOUNT}:role/app`;
const REWRAP = `arn:aws:iam::${ACCOUNT}:role/rewrap`;

type Statement = Readonly<Record<string, unknown>>;
const policy = (...statements: Statement[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });

/** Written so that it is plainly meant and no forgotten template. */
const VARIABLE = ['$', '{aws:username}'].join('');
const OWNER = { Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'kms:*', Resource: '*' };
const allowApp = (more: Statement = {}): Statement => ({
  Effect: 'Allow',
  Principal: { AWS: APP },
  Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey*'],
  Resource: '*',
  ...more,
});

interface World {
  readonly root: KMSClient;
  readonly key: string;
  /** A client in the role, with a session policy if one is given. */
  as(role: string, sessionPolicy?: string): Promise<KMSClient>;
}

async function world(keyPolicy: string, identity: readonly string[] = []): Promise<World> {
  const roles = [{ arn: APP, policies: identity }, { arn: REWRAP }];
  const kms = await emulator({ webIdentity: trusting, roles });
  const root = clientOf(kms.url);
  return {
    root,
    key: await createKey(root, { Policy: keyPolicy }),
    as: async (role, sessionPolicy) =>
      clientOf(kms.url, await assume(kms.url, role, sessionPolicy ? { Policy: sessionPolicy } : {})),
  };
}

const outcome = (client: KMSClient, key: string, context?: Record<string, string>): Promise<string> =>
  errorName(encrypt(client, { key, ...(context ? { context } : {}) }));

describe('a key policy', () => {
  test('names the roles that may use the key, and what for', async () => {
    const { key, as } = await world(policy(OWNER, allowApp()));
    const app = await as(APP);
    const blob = await encrypt(app, { key });
    expect(await decrypt(app, { blob })).toBe('hello');
    expect(await errorName(app.send(new GenerateDataKeyCommand({ KeyId: key, KeySpec: 'AES_256' })))).toBe(
      'none',
    );
    expect(await errorName(app.send(new DescribeKeyCommand({ KeyId: key })))).toBe('AccessDeniedException');
    expect(await outcome(await as(REWRAP), key)).toBe('AccessDeniedException');
  });

  test('denies in the words of AWS', async () => {
    const { key, as } = await world(policy(OWNER));
    expect(await errorMessage(encrypt(await as(APP), { key }))).toMatch(
      /^User: arn:aws:sts::000000000000:assumed-role\/app\/app is not authorized to perform: kms:Encrypt on resource: arn:aws:kms:us-east-1:000000000000:key\/[0-9a-f-]+ because no identity-based policy allows the kms:Encrypt action$/,
    );
  });

  test('the default one lets the root user do everything and a role nothing', async () => {
    const { root, as } = await world(policy(OWNER));
    const key = await createKey(root);
    expect(await outcome(root, key)).toBe('none');
    expect(await outcome(await as(APP), key)).toBe('AccessDeniedException');
    const { Policy } = await root.send(new GetKeyPolicyCommand({ KeyId: key }));
    expect(JSON.parse(Policy ?? '').Statement).toHaveLength(1);
  });

  test('leaves the decision to the policies of the role where it allows the account', async () => {
    const own = policy({ Effect: 'Allow', Action: 'kms:Encrypt', Resource: '*' });
    const { key, as } = await world(policy(OWNER), [own]);
    const app = await as(APP);
    const blob = await encrypt(app, { key });
    expect(await errorName(decrypt(app, { blob }))).toBe('AccessDeniedException');
    const alone = await world(
      policy(
        { ...OWNER, Principal: { AWS: REWRAP } },
        allowApp({ Action: 'kms:PutKeyPolicy', Principal: { AWS: ROOT } }),
      ),
      [own],
    );
    expect(await outcome(await alone.as(APP), alone.key)).toBe('AccessDeniedException');
  });

  test('an explicit Deny wins over any Allow, for the root user too', async () => {
    const deny = { Effect: 'Deny', Principal: '*', Action: 'kms:Encrypt', Resource: '*' };
    const { root, key, as } = await world(policy(OWNER, allowApp(), deny));
    expect(await outcome(await as(APP), key)).toBe('AccessDeniedException');
    expect(await errorMessage(encrypt(root, { key }))).toContain(
      'with an explicit deny in a resource-based policy',
    );
  });

  test('is changed by PutKeyPolicy for the calls that follow', async () => {
    const { root, key, as } = await world(policy(OWNER));
    const app = await as(APP);
    expect(await outcome(app, key)).toBe('AccessDeniedException');
    const Policy = policy(OWNER, allowApp());
    await root.send(new PutKeyPolicyCommand({ KeyId: key, Policy }));
    expect(await outcome(app, key)).toBe('none');
    expect((await root.send(new GetKeyPolicyCommand({ KeyId: key }))).Policy).toBe(Policy);
  });

  test('NotAction allows what it does not name', async () => {
    const { key, as } = await world(
      policy(OWNER, { ...allowApp(), Action: undefined, NotAction: 'kms:Decrypt' }),
    );
    const app = await as(APP);
    const blob = await encrypt(app, { key });
    expect(await errorName(decrypt(app, { blob }))).toBe('AccessDeniedException');
  });
});

describe('conditions', () => {
  test.each([
    [{ StringEquals: { 'kms:EncryptionContext:tenant': 't1' } }, { tenant: 't1', patient: 'p' }, 'none'],
    [{ StringEquals: { 'kms:EncryptionContext:tenant': 't1' } }, { tenant: 't2' }, 'AccessDeniedException'],
    [{ StringEquals: { 'kms:EncryptionContext:tenant': 't1' } }, undefined, 'AccessDeniedException'],
    [{ StringEquals: { 'kms:EncryptionContext:tenant': ['t1', 't2'] } }, { tenant: 't2' }, 'none'],
    [
      { StringEquals: { 'kms:EncryptionContext:tenant': 't1' } },
      { tenant: 't1', Tenant: 't2' },
      'AccessDeniedException',
    ],
    [
      { StringNotEquals: { 'kms:EncryptionContext:tenant': 't1' } },
      { tenant: 't1' },
      'AccessDeniedException',
    ],
    [{ StringNotEquals: { 'kms:EncryptionContext:tenant': 't1' } }, { tenant: 't2' }, 'none'],
    [{ StringNotEquals: { 'kms:EncryptionContext:tenant': 't1' } }, undefined, 'none'],
    [{ StringLike: { 'kms:EncryptionContext:tenant': 't-*' } }, { tenant: 't-1' }, 'none'],
    [
      { StringLike: { 'kms:EncryptionContext:tenant': 't*' } },
      { tenant: 't1', Tenant: 't2' },
      'AccessDeniedException',
    ],
    [{ StringLike: { 'kms:EncryptionContext:tenant': 't-?' } }, { tenant: 't-12' }, 'AccessDeniedException'],
    [{ StringLike: { 'kms:EncryptionContext:tenant': 't.1' } }, { tenant: 'tx1' }, 'AccessDeniedException'],
    [{ Null: { 'kms:EncryptionContext:tenant': 'false' } }, { tenant: 't1' }, 'none'],
    [{ Null: { 'kms:EncryptionContext:tenant': false } }, { patient: 'p' }, 'AccessDeniedException'],
    [{ Null: { 'kms:EncryptionContextKeys': 'true' } }, undefined, 'none'],
    [
      { 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['app', 'tenant'] } },
      { tenant: 't1' },
      'none',
    ],
    [
      { 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['app', 'tenant'] } },
      { tenant: 't1', x: 'y' },
      'AccessDeniedException',
    ],
    [{ 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': 'app' } }, undefined, 'none'],
    [{ 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': 'app' } }, { app: 'c', x: 'y' }, 'none'],
    [
      { 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': 'app' } },
      undefined,
      'AccessDeniedException',
    ],
    [
      { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } },
      undefined,
      'AccessDeniedException',
    ],
    [{ StringEqualsIfExists: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } }, undefined, 'none'],
    [{ StringEquals: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT' } }, undefined, 'none'],
    [{ StringEquals: { 'kms:KeySpec': 'HMAC_256' } }, undefined, 'AccessDeniedException'],
    [{ Bool: { 'kms:MultiRegion': 'false' } }, undefined, 'none'],
    [{ Bool: { 'kms:MultiRegion': true } }, undefined, 'AccessDeniedException'],
    [
      { StringEquals: { 'aws:RequestedRegion': 'us-east-1' }, Bool: { 'kms:MultiRegion': 'true' } },
      undefined,
      'AccessDeniedException',
    ],
  ] as [Statement, Record<string, string> | undefined, string][])(
    '%j with context %j: %s',
    async (Condition, context, expected) => {
      const { key, as } = await world(policy(OWNER, allowApp({ Condition })));
      expect(await outcome(await as(APP), key, context)).toBe(expected);
    },
  );

  test('a Deny on a missing context closes the key to calls without it', async () => {
    const Condition = { Null: { 'kms:EncryptionContext:tenant': 'true' } };
    const deny = { Effect: 'Deny', Principal: '*', Action: 'kms:Encrypt', Resource: '*', Condition };
    const { root, key } = await world(policy(OWNER, deny));
    expect(await outcome(root, key)).toBe('AccessDeniedException');
    expect(await outcome(root, key, { tenant: 't1' })).toBe('none');
  });

  test('see the signing algorithm', async () => {
    const Condition = { StringEquals: { 'kms:SigningAlgorithm': 'ED25519_SHA_512' } };
    const { root, as } = await world(policy(OWNER));
    const KeyId = await createKey(root, {
      KeySpec: 'ECC_NIST_P256',
      KeyUsage: 'SIGN_VERIFY',
      Policy: policy(OWNER, allowApp({ Action: 'kms:Sign', Condition })),
    });
    const sign = new SignCommand({ KeyId, Message: Buffer.of(1), SigningAlgorithm: 'ECDSA_SHA_256' });
    expect(await errorName((await as(APP)).send(sign))).toBe('AccessDeniedException');
  });
});

describe('a session policy', () => {
  const tenantOnly = policy({
    Effect: 'Allow',
    Action: 'kms:*',
    Resource: '*',
    Condition: { StringEquals: { 'kms:EncryptionContext:tenant': 't1' } },
  });

  test('narrows what the key policy allows to one tenant', async () => {
    const { key, as } = await world(policy(OWNER, allowApp()));
    const [anyTenant, oneTenant] = [await as(APP), await as(APP, tenantOnly)];
    const blob = await encrypt(anyTenant, { key, context: { tenant: 't2' } });
    expect(await outcome(oneTenant, key, { tenant: 't1' })).toBe('none');
    expect(await outcome(oneTenant, key, { tenant: 't2' })).toBe('AccessDeniedException');
    expect(await errorName(decrypt(oneTenant, { blob, context: { tenant: 't2' } }))).toBe(
      'AccessDeniedException',
    );
    // Claiming the allowed tenant passes the policy, and then the ciphertext does not open.
    expect(await errorName(decrypt(oneTenant, { blob, context: { tenant: 't1' } }))).toBe(
      'InvalidCiphertextException',
    );
  });

  test('gives nothing that the key policy does not', async () => {
    const { key, as } = await world(policy(OWNER));
    expect(await outcome(await as(APP, tenantOnly), key, { tenant: 't1' })).toBe('AccessDeniedException');
  });

  test('can be for one key by its ARN', async () => {
    const { root, key, as } = await world(policy(OWNER, allowApp()));
    const Resource = `arn:aws:kms:us-east-1:${ACCOUNT}:key/${key}`;
    const app = await as(APP, policy({ Effect: 'Allow', Action: 'kms:*', Resource }));
    const other = await createKey(root, { Policy: policy(OWNER, allowApp()) });
    expect(await outcome(app, key)).toBe('none');
    expect(await outcome(app, other)).toBe('AccessDeniedException');
  });
});

test('ReEncrypt asks each key for its own permission', async () => {
  const rewrapMay = (Action: string): Statement => ({
    Effect: 'Allow',
    Principal: { AWS: REWRAP },
    Action,
    Resource: '*',
  });
  const { root, key: from, as } = await world(policy(OWNER, rewrapMay('kms:ReEncryptFrom')));
  const to = await createKey(root, { Policy: policy(OWNER, rewrapMay('kms:ReEncryptTo')) });
  const rewrap = await as(REWRAP);
  const CiphertextBlob = await encrypt(root, { key: from });
  const move = (blob: Uint8Array, DestinationKeyId: string): Promise<string> =>
    errorName(rewrap.send(new ReEncryptCommand({ CiphertextBlob: blob, DestinationKeyId })));
  expect(await move(CiphertextBlob, to)).toBe('none');
  expect(await move(CiphertextBlob, from)).toBe('AccessDeniedException');
  expect(await move(await encrypt(root, { key: to }), to)).toBe('AccessDeniedException');
  expect(await errorName(decrypt(rewrap, { blob: CiphertextBlob }))).toBe('AccessDeniedException');
});

test('a role without policies creates and lists nothing', async () => {
  const { as } = await world(policy(OWNER));
  const app = await as(APP);
  expect(await errorName(app.send(new CreateKeyCommand({})))).toBe('AccessDeniedException');
  expect(await errorName(app.send(new ListKeysCommand({})))).toBe('AccessDeniedException');
});

describe('a policy that would not be evaluated as AWS does is refused', () => {
  test.each([
    ['no JSON', '{'],
    ['no statement', policy()],
    ['an unknown version', JSON.stringify({ Version: '2030-01-01', Statement: [OWNER] })],
    ['no principal', policy({ ...OWNER, Principal: undefined })],
    ['NotPrincipal', policy({ ...OWNER, Principal: undefined, NotPrincipal: { AWS: ROOT } })],
    ['NotResource', policy({ ...OWNER, NotResource: '*' })],
    [
      'a principal with a wildcard',
      policy({ ...OWNER, Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/*` } }),
    ],
    ['no resource', policy({ ...OWNER, Resource: undefined })],
    ['a third effect', policy({ ...OWNER, Effect: 'Maybe' })],
    ['an action of another service', policy({ ...OWNER, Action: 's3:GetObject' })],
    [
      'an unknown operator',
      policy(OWNER, allowApp({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } })),
    ],
    [
      'an unknown condition key',
      policy(OWNER, allowApp({ Condition: { StringEquals: { 'kms:Moon': 'x' } } })),
    ],
    [
      'a policy variable',
      policy(OWNER, allowApp({ Condition: { StringEquals: { 'kms:EncryptionContext:t': VARIABLE } } })),
    ],
    ['the author locked out', policy(allowApp())],
  ])('%s', async (_, Policy) => {
    const { root, key } = await world(policy(OWNER));
    const sent = root.send(new PutKeyPolicyCommand({ KeyId: key, Policy }));
    expect(await errorName(sent)).toBe('MalformedPolicyDocumentException');
    expect((await root.send(new GetKeyPolicyCommand({ KeyId: key }))).Policy).toBe(policy(OWNER));
  });

  test('locking oneself out is possible when asked for', async () => {
    const { root, key } = await world(policy(OWNER));
    const Policy = policy(allowApp());
    await root.send(new PutKeyPolicyCommand({ KeyId: key, Policy, BypassPolicyLockoutSafetyCheck: true }));
    expect(await outcome(root, key)).toBe('AccessDeniedException');
  });
});
