import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createKey, encrypt } from './calls.ts';
import { emulator, started } from './harness.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const AUTHORIZATION = 'AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/us-east-1/kms/aws4_request, Signature=x';
const SIGNED = { 'x-amz-target': 'TrentService.ListKeys', authorization: AUTHORIZATION };

/** node:http, since fetch forbids setting `Host` and `Origin`. */
function send(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: options.method ?? 'POST', headers: options.headers ?? SIGNED },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        });
      },
    );
    sent.on('error', reject);
    sent.end(options.body ?? '{}');
  });
}

describe('the AWS JSON 1.1 protocol', () => {
  test('an answer has its type and a request id', async () => {
    const { url } = await emulator();
    const answer = await send(url, {});
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/x-amz-json-1.1');
    expect(answer.headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.parse(answer.body)).toEqual({ Keys: [], Truncated: false });
  });

  test('an error has its name in the body and in a header', async () => {
    const { url } = await emulator();
    const headers = { ...SIGNED, 'x-amz-target': 'TrentService.DescribeKey' };
    const answer = await send(url, { headers, body: '{"KeyId":"alias/none"}' });
    expect(answer.status).toBe(400);
    expect(answer.headers['x-amzn-errortype']).toBe('NotFoundException');
    expect(JSON.parse(answer.body)).toEqual({
      __type: 'NotFoundException',
      message: 'Alias arn:aws:kms:us-east-1:000000000000:alias/none is not found.',
    });
  });

  test.each([
    ['SerializationException', 400, { body: '{"KeyId":' }],
    ['SerializationException', 400, { body: '[]' }],
    ['SerializationException', 400, { body: '' }],
    ['UnknownOperationException', 400, { headers: { ...SIGNED, 'x-amz-target': 'TrentService.Nothing' } }],
    [
      'UnknownOperationException',
      400,
      { headers: { ...SIGNED, 'x-amz-target': 'TrentService.constructor' } },
    ],
    ['UnknownOperationException', 400, { headers: { authorization: AUTHORIZATION } }],
    ['MissingAuthenticationTokenException', 400, { headers: { 'x-amz-target': 'TrentService.ListKeys' } }],
    [
      'IncompleteSignatureException',
      400,
      { headers: { ...SIGNED, authorization: AUTHORIZATION.replace('kms', 'sts') } },
    ],
    ['RequestEntityTooLargeException', 413, { body: JSON.stringify({ Marker: 'x'.repeat(140_000) }) }],
  ])('%s (%i)', async (name, status, options) => {
    const { url } = await emulator();
    const answer = await send(url, options);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body).__type).toBe(name);
  });

  test.each([
    ['a number for a key id', { KeyId: 7, Plaintext: 'AAAA' }],
    ['bytes that are not base64', { KeyId: 'KEY', Plaintext: 'A' }],
    ['a context that is no map', { KeyId: 'KEY', Plaintext: 'AAAA', EncryptionContext: ['a'] }],
    ['a context with a number', { KeyId: 'KEY', Plaintext: 'AAAA', EncryptionContext: { a: 1 } }],
    [
      'a context with half a surrogate pair',
      { KeyId: 'KEY', Plaintext: 'AAAA', EncryptionContext: { a: '\ud800' } },
    ],
  ])('%s is a SerializationException', async (_, body) => {
    const { kms, client } = await started();
    const key = await createKey(client);
    const headers = { ...SIGNED, 'x-amz-target': 'TrentService.Encrypt' };
    const answer = await send(kms.url, { headers, body: JSON.stringify(body).replace('KEY', key) });
    expect(JSON.parse(answer.body).__type).toBe('SerializationException');
  });

  test('validation errors are worded as in AWS and quote no value', async () => {
    const { url } = await emulator();
    const headers = { ...SIGNED, 'x-amz-target': 'TrentService.Encrypt' };
    const tooLong = await send(url, {
      headers,
      body: JSON.stringify({ KeyId: 'x', Plaintext: 'AAAA'.repeat(1400) }),
    });
    expect(JSON.parse(tooLong.body).message).toBe(
      "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
    );
    const missing = await send(url, { headers, body: '{"Plaintext":"AAAA"}' });
    expect(JSON.parse(missing.body).message).toBe(
      "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null",
    );
  });

  test('there is nothing at other addresses', async () => {
    const { url } = await emulator();
    expect((await send(`${url}/other`, {})).status).toBe(404);
    expect((await send(url, { method: 'GET', body: '' })).status).toBe(404);
    expect((await send(`${url}/_admin/other`, { method: 'GET', body: '' })).status).toBe(404);
  });
});

describe('web pages', () => {
  test.each([
    ['an Origin', { origin: 'http://localhost:3000' }],
    ['an opaque Origin', { origin: 'null' }],
    ['a Host that was rebound', { host: 'evil.example:4599' }],
    ['a Host that looks local', { host: '127.0.0.1.evil.example' }],
  ])('a request with %s is refused everywhere', async (_, headers) => {
    const { url } = await emulator();
    const outage = JSON.stringify({ outage: true });
    expect((await send(`${url}/_admin/faults`, { method: 'PUT', headers, body: outage })).status).toBe(403);
    expect((await send(`${url}/_admin/state`, { method: 'GET', headers, body: '' })).status).toBe(403);
    expect((await send(url, { headers: { ...SIGNED, ...headers } })).status).toBe(403);
    expect((await send(url, {})).status).toBe(200);
  });

  test.each(['localhost:1', '127.0.0.1', '[::1]:80'])('the Host %s is local', async (host) => {
    const { url } = await emulator();
    expect((await send(url, { headers: { ...SIGNED, host } })).status).toBe(200);
  });
});

describe('the admin addresses', () => {
  test('show the state without key material or the session secret', async () => {
    const { kms, client } = await started();
    const key = await createKey(client);
    await createKey(client, { KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' });
    const { body } = await send(`${kms.url}/_admin/state`, { method: 'GET', headers: {}, body: '' });
    expect(JSON.parse(body).keys).toHaveLength(2);
    expect(JSON.parse(body).keys[0].keyId).toBe(key);
    expect(body).not.toMatch(/secret/i);
  });

  test('give the events since a number', async () => {
    const { kms, client } = await started();
    const key = await createKey(client);
    const events = async (since: number): Promise<{ next: number; events: { eventName: string }[] }> =>
      JSON.parse(
        (await send(`${kms.url}/_admin/events?since=${since}`, { method: 'GET', headers: {}, body: '' }))
          .body,
      );
    const { next } = await events(0);
    expect(next).toBe(1);
    await encrypt(client, { key });
    expect((await events(next)).events.map((event) => event.eventName)).toEqual(['Encrypt']);
  });
});
