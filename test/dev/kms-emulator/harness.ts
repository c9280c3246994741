import { KMSClient } from '@aws-sdk/client-kms';
import { onTestFinished } from 'vitest';
import {
  type KmsEmulator,
  type KmsEmulatorOptions,
  startKmsEmulator,
} from '../../../src/dev/kms-emulator/server.ts';

/** Temporary or static credentials and the Region to sign for. */
export interface ClientOptions {
  readonly accessKeyId?: string;
  readonly sessionToken?: string;
  readonly secretAccessKey?: string;
  readonly region?: string;
  readonly maxAttempts?: number;
}

/** The account and the default Region of all tests. */
export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';

/** An emulator that ends with the test. */
export async function emulator(options: KmsEmulatorOptions = {}): Promise<KmsEmulator> {
  const started = await startKmsEmulator(options);
  onTestFinished(() => started.close());
  return started;
}

/** The real SDK's client, which ends with the test. One attempt unless told. */
export function clientOf(url: string, options: ClientOptions = {}): KMSClient {
  const client = new KMSClient({
    endpoint: url,
    region: options.region ?? REGION,
    maxAttempts: options.maxAttempts ?? 1,
    credentials: {
      accessKeyId: options.accessKeyId ?? 'AKIATESTROOT',
      secretAccessKey: options.secretAccessKey ?? 'not-checked',
      ...(options.sessionToken === undefined ? {} : { sessionToken: options.sessionToken }),
    },
  });
  onTestFinished(() => client.destroy());
  return client;
}

/** A fresh emulator and a root client of it. */
export async function started(
  options: KmsEmulatorOptions = {},
): Promise<{ kms: KmsEmulator; client: KMSClient }> {
  const kms = await emulator(options);
  return { kms, client: clientOf(kms.url) };
}

/** A clock that tests move. Starts at 2026-01-01. */
export function movableClock(): { now: () => number; advanceDays: (days: number) => void } {
  let now = Date.UTC(2026, 0, 1);
  return {
    now: () => now,
    advanceDays: (days) => {
      now += days * 86_400_000;
    },
  };
}

/** The name of the error that a promise rejects with, or `none`. */
export async function errorName(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return (error as Error).name;
  }
}

/** The message of the error that a promise rejects with. */
export async function errorMessage(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return (error as Error).message;
  }
}
