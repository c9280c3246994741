import { CreateAliasCommand, UpdateAliasCommand } from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { KmsClients } from '../../src/crypto/kms-clients.ts';
import { KmsKeyring } from '../../src/crypto/kms-keyring.ts';
import { keyringContract } from '../contracts/keyring.contract.ts';
import { ACCOUNT, startKms } from './kms.ts';
import { rejectionOf } from './samples.ts';

const context = { app: 'chartseal', tenant: 'riverside', patient: 'pa_1', version: '1' };
const UNKNOWN = `arn:aws:kms:us-east-1:${ACCOUNT}:key/00000000-0000-4000-8000-000000000000`;

keyringContract('AWS KMS, emulated', async () => {
  const kms = await startKms();
  const keyring = kms.keyring();
  return {
    keyring: () => keyring,
    freshKey: () => kms.createKey(),
    unknownKey: UNKNOWN,
    looseNames: [
      'alias/chartseal',
      `arn:aws:kms:us-east-1:${ACCOUNT}:alias/chartseal`,
      '00000000-0000-4000-8000-000000000000',
      `${UNKNOWN}\n`,
    ],
    disable: kms.disable,
    remove: kms.remove,
  };
});

describe('which key answers', () => {
  test('an alias that was pointed at another key changes nothing: records name the ARN', async () => {
    const kms = await startKms();
    const [first, second] = [await kms.createKey(), await kms.createKey()];
    const AliasName = 'alias/riverside';
    await kms.root.send(new CreateAliasCommand({ AliasName, TargetKeyId: first }));
    const { wrapped, secret } = await kms.keyring().generate(first, context);
    await kms.root.send(new UpdateAliasCommand({ AliasName, TargetKeyId: second }));
    expect((await kms.keyring().unwrap(wrapped, context)).equals(secret)).toBe(true);
    expect(kms.events().at(-1)?.requestParameters).toMatchObject({ keyId: first });
  });

  test('a key in another Region is asked for in its Region', async () => {
    const kms = await startKms();
    const frankfurt = await kms.createKey({ region: 'eu-central-1' });
    const { wrapped, secret } = await kms.keyring().generate(frankfurt, context);
    expect((await kms.keyring().unwrap(wrapped, context)).equals(secret)).toBe(true);
    expect(kms.events().at(-1)?.awsRegion).toBe('eu-central-1');
  });

  test('every call carries the encryption context, which CloudTrail shows', async () => {
    const kms = await startKms();
    const key = await kms.createKey();
    const { wrapped } = await kms.keyring().generate(key, context);
    await kms.keyring().unwrap(wrapped, context);
    for (const event of kms.events().slice(-2)) {
      expect(event.requestParameters).toMatchObject({ encryptionContext: context });
    }
  });
});

describe('when KMS is in trouble', () => {
  test('a throttled call is tried three times, then says so', async () => {
    const kms = await startKms();
    const key = await kms.createKey();
    await kms.faults({ throttleRate: 1 });
    const started = performance.now();
    expect(await rejectionOf(kms.keyring().generate(key, context))).toBe('KMS_THROTTLED');
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(kms.count('GenerateDataKey')).toBe(3);
  });

  test('one throttled answer is not the last word', async () => {
    const kms = await startKms();
    const key = await kms.createKey();
    await kms.faults({ throttleRate: 0.5 });
    for (let call = 0; call < 4; call += 1) await kms.keyring().generate(key, context);
    expect(kms.count('GenerateDataKey')).toBeGreaterThan(4);
  });

  test('an outage is retryable, and ends within 10 s', async () => {
    const kms = await startKms();
    const key = await kms.createKey();
    const { wrapped } = await kms.keyring().generate(key, context);
    await kms.faults({ outage: true });
    const started = performance.now();
    const failed = kms.keyring().unwrap(wrapped, context);
    await expect(failed).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE', retryable: true });
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('a KMS that does not answer is given up', async () => {
    const kms = await startKms();
    const key = await kms.createKey();
    await kms.faults({ latencyMs: 20_000 });
    const requestHandler = { requestTimeout: 100, throwOnRequestTimeout: true };
    const started = performance.now();
    const keyring = kms.keyring({ client: { requestHandler } });
    expect(await rejectionOf(keyring.generate(key, context))).toBe('KMS_UNAVAILABLE');
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test.each([
    ['DisabledException', 'KEY_DISABLED'],
    ['KMSInvalidStateException', 'KEY_DISABLED'],
    ['NotFoundException', 'KEY_MISSING'],
    ['AccessDeniedException', 'KMS_DENIED'],
    ['UnrecognizedClientException', 'KMS_DENIED'],
    ['ExpiredTokenException', 'KMS_DENIED'],
    ['InvalidCiphertextException', 'KMS_CONTEXT'],
    ['IncorrectKeyException', 'KMS_CONTEXT'],
    ['LimitExceededException', 'KMS_THROTTLED'],
    ['DependencyTimeoutException', 'KMS_UNAVAILABLE'],
    ['KMSInternalException', 'KMS_UNAVAILABLE'],
    ['SomethingNewException', 'KMS_UNAVAILABLE'],
  ])('%s becomes %s', async (name, code) => {
    const kms = await startKms();
    const key = await kms.createKey();
    await kms.faults({ errors: { GenerateDataKey: name } });
    expect(await rejectionOf(kms.keyring({ client: { maxAttempts: 1 } }).generate(key, context))).toBe(code);
  });

  test('a failure carries neither the request nor what AWS said of it', async () => {
    const kms = await startKms();
    const key = await kms.createKey();
    const { wrapped } = await kms.keyring().generate(key, context);
    await kms.disable(key);
    const error: unknown = await kms
      .keyring()
      .unwrap(wrapped, context)
      .catch((caught: unknown) => caught);
    const shown = `${(error as Error).stack} ${JSON.stringify(error)} ${String((error as Error).cause)}`;
    expect(shown).toContain('is disabled');
    for (const secret of [key, 'pa_1', Buffer.from(wrapped.blob).toString('base64')]) {
      expect(shown).not.toContain(secret);
    }
  });
});

describe('clients', () => {
  test('one for each Region when tenants have none of their own', () => {
    const clients = new KmsClients({});
    const [here, there] = ['us-east-1', 'eu-central-1'].map((at) => UNKNOWN.replace('us-east-1', at));
    expect(clients.of(here ?? '', 'a')).toBe(clients.of(here ?? '', 'b'));
    expect(clients.of(there ?? '', 'a')).not.toBe(clients.of(here ?? '', 'a'));
  });

  test('one for each tenant when they have, at most a hundred, the one used longest ago dropped', () => {
    const clients = new KmsClients({}, () => ({}));
    const first = clients.of(UNKNOWN, 'first');
    for (let tenant = 1; tenant < 100; tenant += 1) clients.of(UNKNOWN, `t${tenant}`);
    expect(clients.of(UNKNOWN, 'first')).toBe(first);
    clients.of(UNKNOWN, 'one-more');
    expect(clients.size).toBe(100);
    expect(clients.of(UNKNOWN, 'first')).toBe(first);
  });

  test('they share their connections', () => {
    const clients = new KmsClients({}, () => ({}));
    expect(clients.of(UNKNOWN, 'a').config.requestHandler).toBe(
      clients.of(UNKNOWN, 'b').config.requestHandler,
    );
  });

  test('a keyring alone needs no options', () => {
    expect(new KmsKeyring().kind).toBe('aws');
  });
});
