import { verify } from 'node:crypto';
import {
  CreateAliasCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateMacCommand,
  ReEncryptCommand,
  UpdateAliasCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { createKey, decrypt, encrypt } from './calls.ts';
import { freshAlias, HMAC, MESSAGE, type Scenario, signed } from './moto-scenario.ts';

/** What both servers answer alike: name → scenario and the answer. */
export const ALIKE: readonly (readonly [string, unknown, Scenario])[] = [
  [
    'a context in another order opens',
    'hello',
    async ({ client }) => {
      const blob = await encrypt(client, { key: await createKey(client), context: { a: '1', b: '2' } });
      return decrypt(client, { blob, context: { b: '2', a: '1' } });
    },
  ],
  [
    'another context does not open',
    'InvalidCiphertextException',
    async ({ client }) => {
      const blob = await encrypt(client, { key: await createKey(client), context: { a: '1' } });
      return decrypt(client, { blob, context: { a: '2' } });
    },
  ],
  [
    'Encrypt of nothing',
    'ValidationException',
    async ({ client }) => encrypt(client, { key: await createKey(client), text: '' }),
  ],
  [
    'Encrypt of 4,097 bytes',
    'ValidationException',
    async ({ client }) => encrypt(client, { key: await createKey(client), text: 'x'.repeat(4097) }),
  ],
  [
    'a key id that names nothing',
    'NotFoundException',
    ({ client }) => encrypt(client, { key: '2b3a1a62-0000-4000-8000-000000000000' }),
  ],
  [
    'an alias that names nothing',
    'NotFoundException',
    ({ client }) => encrypt(client, { key: freshAlias() }),
  ],
  [
    'an alias that is taken',
    'AlreadyExistsException',
    async ({ client }) => {
      const input = { AliasName: freshAlias(), TargetKeyId: await createKey(client) };
      await client.send(new CreateAliasCommand(input));
      return client.send(new CreateAliasCommand(input));
    },
  ],
  ...(
    [
      ['chart', 'ValidationException'],
      ['alias/a b', 'ValidationException'],
      ['alias/aws/ebs', 'NotAuthorizedException'],
    ] as const
  ).map(([AliasName, expected]): readonly [string, unknown, Scenario] => [
    `an alias called "${AliasName}"`,
    expected,
    async ({ client }) =>
      client.send(new CreateAliasCommand({ AliasName, TargetKeyId: await createKey(client) })),
  ]),
  [
    'an alias that was moved encrypts under its new key',
    true,
    async ({ client }) => {
      const [one, two, AliasName] = [await createKey(client), await createKey(client), freshAlias()];
      await client.send(new CreateAliasCommand({ AliasName, TargetKeyId: one }));
      await client.send(new UpdateAliasCommand({ AliasName, TargetKeyId: two }));
      const { KeyId } = await client.send(new EncryptCommand({ KeyId: AliasName, Plaintext: MESSAGE }));
      return KeyId?.endsWith(`:key/${two}`);
    },
  ],
  [
    'a data key opens to itself',
    [true, 32],
    async ({ client }) => {
      const KeyId = await createKey(client);
      const made = await client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
      const opened = await client.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob }));
      return [
        Buffer.compare(opened.Plaintext ?? Buffer.of(), made.Plaintext ?? Buffer.of(1)) === 0,
        made.Plaintext?.length,
      ];
    },
  ],
  [
    'a data key with both a spec and a length',
    'ValidationException',
    async ({ client }) => {
      const KeyId = await createKey(client);
      return client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', NumberOfBytes: 32 }));
    },
  ],
  [
    'ReEncrypt moves to another key and context',
    'hello',
    async ({ client }) => {
      const [from, to] = [await createKey(client), await createKey(client)];
      const command = new ReEncryptCommand({
        CiphertextBlob: await encrypt(client, { key: from, context: { v: '1' } }),
        SourceEncryptionContext: { v: '1' },
        DestinationKeyId: to,
        DestinationEncryptionContext: { v: '2' },
      });
      const { CiphertextBlob: blob } = await client.send(command);
      return decrypt(client, { blob: blob ?? Buffer.of(), context: { v: '2' } });
    },
  ],
  [
    'ReEncrypt with the wrong source context',
    'InvalidCiphertextException',
    async ({ client }) => {
      const key = await createKey(client);
      const CiphertextBlob = await encrypt(client, { key, context: { v: '1' } });
      return client.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: key }));
    },
  ],
  [
    'a P-256 signature of a message verifies elsewhere',
    true,
    async ({ client }) => {
      const { key, Signature } = await signed(client);
      return verify('sha256', MESSAGE, key, Signature);
    },
  ],
  [
    'VerifyMac of a MAC that was made',
    true,
    async ({ client }) => {
      const input = {
        KeyId: await createKey(client, HMAC),
        Message: MESSAGE,
        MacAlgorithm: 'HMAC_SHA_256',
      } as const;
      const { Mac } = await client.send(new GenerateMacCommand(input));
      return (await client.send(new VerifyMacCommand({ ...input, Mac }))).MacValid;
    },
  ],
  [
    'VerifyMac of another MAC',
    'KMSInvalidMacException',
    async ({ client }) => {
      const input = {
        KeyId: await createKey(client, HMAC),
        Message: MESSAGE,
        MacAlgorithm: 'HMAC_SHA_256',
      } as const;
      return client.send(new VerifyMacCommand({ ...input, Mac: Buffer.alloc(32) }));
    },
  ],
];
