import { DecryptCommand, ListKeysCommand } from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import { createKey, encrypt } from './calls.ts';
import { clientOf, errorName, started } from './harness.ts';

const setFaults = (url: string, faults: unknown): Promise<Response> =>
  fetch(`${url}/_admin/faults`, { method: 'PUT', body: JSON.stringify(faults) });
const clearFaults = (url: string): Promise<Response> => fetch(`${url}/_admin/faults`, { method: 'DELETE' });

describe('injected faults', () => {
  test('throttling reaches the SDK, which tries again and succeeds', async () => {
    const { kms, client } = await started();
    const key = await createKey(client);
    await setFaults(kms.url, { throttleRate: 0.5 });
    const patient = clientOf(kms.url, { maxAttempts: 3 });
    await encrypt(patient, { key });
    await encrypt(patient, { key });
    // Half of all calls, evenly spread: the second call was refused once and then served.
    const outcomes = kms.events().filter((event) => event.eventName === 'Encrypt');
    expect(outcomes.map((event) => event.errorCode ?? 'ok')).toEqual(['ok', 'ThrottlingException', 'ok']);
  });

  test('throttling of every call ends as ThrottlingException, until it is cleared', async () => {
    const { kms, client } = await started();
    await setFaults(kms.url, { throttleRate: 1 });
    expect(await errorName(client.send(new ListKeysCommand({})))).toBe('ThrottlingException');
    await clearFaults(kms.url);
    expect(await errorName(client.send(new ListKeysCommand({})))).toBe('none');
  });

  test('an outage resets connections, and ends', async () => {
    const { kms, client } = await started();
    await setFaults(kms.url, { outage: true });
    await expect(client.send(new ListKeysCommand({}))).rejects.toMatchObject({ code: 'ECONNRESET' });
    await clearFaults(kms.url);
    expect(await errorName(client.send(new ListKeysCommand({})))).toBe('none');
  });

  test('latency holds every call back', async () => {
    const { kms, client } = await started();
    await setFaults(kms.url, { latencyMs: 120 });
    const before = performance.now();
    await client.send(new ListKeysCommand({}));
    expect(performance.now() - before).toBeGreaterThan(110);
  });

  test.each([
    ['KMSInternalException', 500],
    ['DependencyTimeoutException', 500],
    ['KeyUnavailableException', 500],
    ['DisabledException', 400],
  ])('one operation can answer %s with status %i, and the others go on', async (name, status) => {
    const { kms, client } = await started();
    await setFaults(kms.url, { errors: { Decrypt: name } });
    const sent = client.send(new DecryptCommand({ CiphertextBlob: Buffer.of(1) }));
    await expect(sent).rejects.toMatchObject({ name, $metadata: { httpStatusCode: status } });
    expect(await errorName(client.send(new ListKeysCommand({})))).toBe('none');
  });

  test.each([
    { throttleRate: 2 },
    { throttleRate: -1 },
    { latencyMs: 1e9 },
    { outage: 'yes' },
    { errors: { Decrypt: 'no such error' } },
    { speed: 1 },
    [],
  ])('%j is refused and changes nothing', async (faults) => {
    const { kms, client } = await started();
    await setFaults(kms.url, { throttleRate: 1 });
    expect((await setFaults(kms.url, faults)).status).toBe(400);
    expect(await errorName(client.send(new ListKeysCommand({})))).toBe('ThrottlingException');
  });
});
