import { createHash, verify } from 'node:crypto';
import {
  CreateAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  PutKeyPolicyCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  VerifyCommand,
} from '@aws-sdk/client-kms';
import { createKey, decrypt, encrypt } from './calls.ts';
import { HMAC, MESSAGE, type Scenario, signed } from './moto-scenario.ts';

/** Where moto departs from AWS: the rule that we follow, AWS's answer, moto's answer, the scenario. */
export const MOTO_DEPARTS: readonly (readonly [string, unknown, unknown, Scenario])[] = [
  [
    'a disabled key does not encrypt (Encrypt: DisabledException)',
    'DisabledException',
    'encrypted',
    async ({ client }) => {
      const key = await createKey(client);
      await client.send(new DisableKeyCommand({ KeyId: key }));
      await encrypt(client, { key });
      return 'encrypted';
    },
  ],
  [
    'a disabled key does not decrypt (Decrypt: DisabledException)',
    'DisabledException',
    'hello',
    async ({ client }) => {
      const key = await createKey(client);
      const blob = await encrypt(client, { key });
      await client.send(new DisableKeyCommand({ KeyId: key }));
      return decrypt(client, { blob });
    },
  ],
  [
    'a key pending deletion does not decrypt (Decrypt: KMSInvalidStateException)',
    'KMSInvalidStateException',
    'hello',
    async ({ client }) => {
      const key = await createKey(client);
      const blob = await encrypt(client, { key });
      await client.send(new ScheduleKeyDeletionCommand({ KeyId: key }));
      return decrypt(client, { blob });
    },
  ],
  [
    'the context {a:"bc"} is not {ab:"c"} (the context is additional authenticated data)',
    'InvalidCiphertextException',
    'hello',
    async ({ client }) => {
      const blob = await encrypt(client, { key: await createKey(client), context: { a: 'bc' } });
      return decrypt(client, { blob, context: { ab: 'c' } });
    },
  ],
  [
    'a Deny in the key policy denies (key policies)',
    'AccessDeniedException',
    'encrypted',
    async ({ client }) => {
      const key = await createKey(client);
      const statement = { Principal: { AWS: '*' }, Resource: '*' };
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'kms:*', ...statement },
          { Effect: 'Deny', Action: 'kms:Encrypt', ...statement },
        ],
      });
      await client.send(new PutKeyPolicyCommand({ KeyId: key, PolicyName: 'default', Policy }));
      await encrypt(client, { key });
      return 'encrypted';
    },
  ],
  [
    'the key named with Decrypt must be the one that encrypted (Decrypt: IncorrectKeyException)',
    'IncorrectKeyException',
    'AccessDeniedException',
    async ({ client }) => {
      const blob = await encrypt(client, { key: await createKey(client) });
      return decrypt(client, { blob, key: await createKey(client) });
    },
  ],
  [
    'a replica opens what its primary encrypted (multi-Region keys)',
    'hello',
    'AccessDeniedException',
    async ({ client, elsewhere }) => {
      const key = await createKey(client, { MultiRegion: true });
      await client.send(new ReplicateKeyCommand({ KeyId: key, ReplicaRegion: 'eu-west-1' }));
      return decrypt(elsewhere, { blob: await encrypt(client, { key }) });
    },
  ],
  [
    'a deletion window of 6 days is refused (ScheduleKeyDeletion: 7 to 30)',
    'ValidationException',
    'scheduled',
    async ({ client }) => {
      const KeyId = await createKey(client);
      await client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 6 }));
      return 'scheduled';
    },
  ],
  [
    'a key may be rotated on demand 25 times (RotateKeyOnDemand: LimitExceededException)',
    'LimitExceededException',
    'rotated',
    async ({ client }) => {
      const KeyId = await createKey(client);
      for (let n = 0; n < 26; n += 1) await client.send(new RotateKeyOnDemandCommand({ KeyId }));
      return 'rotated';
    },
  ],
  [
    'rotation on demand gives a key new material (CurrentKeyMaterialId changes)',
    true,
    false,
    async ({ client }) => {
      const KeyId = await createKey(client);
      const material = async () =>
        (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.CurrentKeyMaterialId;
      const before = await material();
      await client.send(new RotateKeyOnDemandCommand({ KeyId }));
      return before !== (await material());
    },
  ],
  [
    'an HMAC key does not encrypt (Encrypt: InvalidKeyUsageException)',
    'InvalidKeyUsageException',
    'encrypted',
    async ({ client }) => {
      await encrypt(client, { key: await createKey(client, HMAC) });
      return 'encrypted';
    },
  ],
  [
    'a digest is signed as it is, not hashed again (Sign: MessageType DIGEST)',
    true,
    false,
    async ({ client }) => {
      const digest = createHash('sha256').update(MESSAGE).digest();
      const { key, Signature } = await signed(client, digest, 'DIGEST');
      return verify('sha256', MESSAGE, key, Signature);
    },
  ],
  [
    'a wrong signature is an error (Verify: KMSInvalidSignatureException)',
    'KMSInvalidSignatureException',
    false,
    async ({ client }) => {
      const { input, Signature } = await signed(client);
      const command = new VerifyCommand({ ...input, Message: Buffer.from('another'), Signature });
      return (await client.send(command)).SignatureValid;
    },
  ],
  [
    'a colon passes the pattern of alias names and is then refused (CreateAlias: InvalidAliasNameException)',
    'InvalidAliasNameException',
    'ValidationException',
    async ({ client }) => {
      const TargetKeyId = await createKey(client);
      return client.send(new CreateAliasCommand({ AliasName: 'alias/a:b', TargetKeyId }));
    },
  ],
];
