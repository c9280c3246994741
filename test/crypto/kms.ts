import {
  CreateKeyCommand,
  DisableKeyCommand,
  KMSClient,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { onTestFinished } from 'vitest';
import { KmsKeyring, type KmsKeyringOptions } from '../../src/crypto/kms-keyring.ts';
import {
  type KmsEmulator,
  type KmsEmulatorOptions,
  startKmsEmulator,
} from '../../src/dev/kms-emulator/server.ts';

export const ACCOUNT = '000000000000';
const ROOT = { accessKeyId: 'AKIATESTROOT', secretAccessKey: 'not-checked' };

/** What a test asks of the emulator beside the keyring's own calls. */
export interface TestKms {
  readonly url: string;
  readonly root: KMSClient;
  /** A new key's ARN. */
  createKey(input?: { Policy?: string; region?: string }): Promise<string>;
  disable(keyArn: string): Promise<void>;
  remove(keyArn: string): Promise<void>;
  rotate(keyArn: string): Promise<void>;
  /** How often this operation was called, failed calls included. */
  count(operation: string): number;
  events: KmsEmulator['events'];
  faults(settings: object): Promise<void>;
  keyring(options?: KmsKeyringOptions): KmsKeyring;
}

/** An emulator and its root client, which end with the test. */
export async function startKms(options: KmsEmulatorOptions = {}): Promise<TestKms> {
  const emulator = await startKmsEmulator(options);
  const client = (region = 'us-east-1') =>
    new KMSClient({ endpoint: emulator.url, region, credentials: ROOT, maxAttempts: 1 });
  const root = client();
  onTestFinished(async () => {
    root.destroy();
    await emulator.close();
  });
  return {
    url: emulator.url,
    root,
    createKey: async ({ region, ...input } = {}) => {
      const { KeyMetadata } = await client(region).send(new CreateKeyCommand(input));
      return KeyMetadata?.Arn ?? '';
    },
    disable: async (KeyId) => void (await root.send(new DisableKeyCommand({ KeyId }))),
    remove: async (KeyId) =>
      void (await root.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))),
    rotate: async (KeyId) => void (await root.send(new RotateKeyOnDemandCommand({ KeyId }))),
    count: (operation) => emulator.events().filter(({ eventName }) => eventName === operation).length,
    events: () => emulator.events(),
    faults: async (settings) => {
      const response = await fetch(`${emulator.url}/_admin/faults`, {
        method: 'PUT',
        body: JSON.stringify(settings),
      });
      if (!response.ok) throw new Error(await response.text());
    },
    keyring: ({ client: more, ...rest } = {}) =>
      new KmsKeyring({
        kind: 'emulator',
        client: { endpoint: emulator.url, region: 'us-east-1', credentials: ROOT, ...more },
        ...rest,
      }),
  };
}
