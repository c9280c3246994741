import { createLocalJWKSet, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { type BearerOptions, verifyBearer } from '../../src/access/bearer.ts';
import type { AccessError } from '../../src/access/errors.ts';

const ISSUER = 'https://clinic.example';
const AUDIENCE = 'https://clinic.example/mcp';
const NOW = Date.UTC(2026, 10, 24, 12);
const seconds = (offset: number) => Math.floor(NOW / 1000) + offset;

const good = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'usr_john',
  tenant: 'riverside',
  client_id: 'client-1',
  grant_id: 'grant-1',
  scope: 'patient/Patient.rs patient/*.rs',
  jti: 'j1',
  iat: seconds(-10),
  exp: seconds(590),
};

describe('verifyBearer', () => {
  let key: CryptoKey;
  let foreign: CryptoKey;
  let options: BearerOptions;
  beforeAll(async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    key = pair.privateKey;
    foreign = (await generateKeyPair('ES256')).privateKey;
    const jwk: JWK = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' };
    options = {
      issuer: ISSUER,
      audience: AUDIENCE,
      keys: createLocalJWKSet({ keys: [jwk] }),
      clock: () => NOW,
    };
  });
  const sign = (claims: object, header: object = {}, by = key) =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1', ...header })
      .sign(by);
  const codeOf = (header: string | undefined) =>
    verifyBearer(header, options).then(
      () => 'accepted',
      (error: AccessError) => error.code,
    );

  test('names user, tenant, client, grant and scopes of a good token', async () => {
    expect(await verifyBearer(`Bearer ${await sign(good)}`, options)).toEqual({
      user: 'usr_john',
      tenant: 'riverside',
      client: 'client-1',
      grant: 'grant-1',
      scopes: ['patient/Patient.rs', 'patient/*.rs'],
      expiresAt: seconds(590),
    });
  });

  test.each([
    ['no header', undefined],
    ['an empty one', ''],
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['a token with spaces', 'Bearer a b'],
  ])('%s is a missing token', async (_name, header) => {
    expect(await codeOf(header)).toBe('TOKEN_MISSING');
  });

  test('an expired token is told apart, so that a client refreshes', async () => {
    expect(await codeOf(`Bearer ${await sign({ ...good, exp: seconds(-6) })}`)).toBe('TOKEN_EXPIRED');
  });

  test.each([
    ['another issuer', { iss: 'https://evil.example' }],
    ['an issuer with a slash', { iss: `${ISSUER}/` }],
    ['another audience', { aud: 'https://clinic.example' }],
    ['an audience with a slash', { aud: `${AUDIENCE}/` }],
    ['an audience in another case', { aud: 'https://Clinic.example/mcp' }],
    ['several audiences', { aud: [AUDIENCE, 'https://other.example'] }],
    ['one audience as a list', { aud: [AUDIENCE] }],
    ['no subject', { sub: undefined }],
    ['a subject that is no id', { sub: '../john' }],
    ['no tenant', { tenant: undefined }],
    ['a tenant that is no id', { tenant: 'river/side' }],
    ['no client', { client_id: undefined }],
    ['no jti', { jti: undefined }],
    ['no iat', { iat: undefined }],
    ['no exp', { exp: undefined }],
    ['not valid yet', { nbf: seconds(60) }],
  ])('a token with %s is refused', async (_name, change) => {
    expect(await codeOf(`Bearer ${await sign({ ...good, ...change })}`)).toBe('TOKEN_INVALID');
  });

  test.each([
    ['typ JWT', { typ: 'JWT' }],
    ['no typ', { typ: undefined }],
    ['an unknown kid', { kid: 'k2' }],
    ['a critical header nobody knows', { crit: ['x'], x: 1 }],
  ])('a token with %s is refused', async (_name, header) => {
    const token = await sign(good, header).catch(() => 'e30.e30.AA');
    expect(await codeOf(`Bearer ${token}`)).toBe('TOKEN_INVALID');
  });

  test('a token signed by a foreign key under our kid is refused', async () => {
    expect(await codeOf(`Bearer ${await sign(good, {}, foreign)}`)).toBe('TOKEN_INVALID');
  });

  test('alg none and HS256 with the public key are refused', async () => {
    const body = Buffer.from(JSON.stringify(good)).toString('base64url');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
    expect(await codeOf(`Bearer ${none}.${body}.`)).toBe('TOKEN_INVALID');
    const secret = new TextEncoder().encode('public key bytes as a shared secret!');
    const hs = await new SignJWT(good)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' })
      .sign(secret);
    expect(await codeOf(`Bearer ${hs}`)).toBe('TOKEN_INVALID');
  });

  test('an edited payload is refused, and so is one over 8 KiB', async () => {
    const [head, , signature] = (await sign(good)).split('.');
    const edited = Buffer.from(JSON.stringify({ ...good, tenant: 'lakeside' })).toString('base64url');
    expect(await codeOf(`Bearer ${head}.${edited}.${signature}`)).toBe('TOKEN_INVALID');
    expect(await codeOf(`Bearer ${await sign({ ...good, pad: 'x'.repeat(9_000) })}`)).toBe('TOKEN_INVALID');
  });
});
