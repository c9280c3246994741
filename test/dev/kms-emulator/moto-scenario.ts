import { createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { createKey } from './calls.ts';

/** Clients of one server in two Regions. */
export interface Side {
  readonly client: KMSClient;
  readonly elsewhere: KMSClient;
}

/** Runs on either server and gives a value to compare; an error counts as its name. */
export type Scenario = (side: Side) => Promise<unknown>;

let aliases = 0;
/** An alias name that no other scenario takes. */
export const freshAlias = (): string => {
  aliases += 1;
  return `alias/differential-${process.pid}-${aliases}`;
};

const SIGNER = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' } as const;
/** A key for MACs. */
export const HMAC = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' } as const;
/** What is signed and authenticated. */
export const MESSAGE = Buffer.from('a checkpoint');

/** A fresh P-256 key's signature, its input and its public key. */
export async function signed(client: KMSClient, Message = MESSAGE, MessageType: 'RAW' | 'DIGEST' = 'RAW') {
  const KeyId = await createKey(client, SIGNER);
  const input = { KeyId, Message, MessageType, SigningAlgorithm: 'ECDSA_SHA_256' } as const;
  const { Signature } = await client.send(new SignCommand(input));
  const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId }));
  const key = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
  return { input, key, Signature: Signature ?? new Uint8Array() };
}
