import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  EncryptCommand,
  type KMSClient,
} from '@aws-sdk/client-kms';

type Context = Record<string, string>;

/** Creates a key and gives its id. */
export async function createKey(client: KMSClient, input: CreateKeyCommandInput = {}): Promise<string> {
  const { KeyMetadata } = await client.send(new CreateKeyCommand(input));
  return KeyMetadata?.KeyId ?? '';
}

/** Encrypts text and gives the ciphertext. */
export async function encrypt(
  client: KMSClient,
  { key, text = 'hello', context }: { key: string; text?: string; context?: Context },
): Promise<Uint8Array> {
  const command = new EncryptCommand({
    KeyId: key,
    Plaintext: Buffer.from(text),
    ...(context ? { EncryptionContext: context } : {}),
  });
  return (await client.send(command)).CiphertextBlob ?? new Uint8Array();
}

/** Decrypts to text. */
export async function decrypt(
  client: KMSClient,
  { blob, context, key }: { blob: Uint8Array; context?: Context; key?: string },
): Promise<string> {
  const command = new DecryptCommand({
    CiphertextBlob: blob,
    ...(context ? { EncryptionContext: context } : {}),
    ...(key ? { KeyId: key } : {}),
  });
  return Buffer.from((await client.send(command)).Plaintext ?? []).toString();
}
