import { CompactEncrypt, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Attacked, expectRefusedToken, startAttacked } from './house.ts';

let at: Attacked;
let good: string;
beforeAll(async () => {
  at = await startAttacked();
  good = (await at.connect()).access;
});
afterAll(() => at.close());

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
const withHeader = (header: object): string => {
  const [, payload, signature] = good.split('.');
  return `${part({ alg: 'ES256', typ: 'at+jwt', kid: 'k1', ...header })}.${payload}.${signature}`;
};
/** The good token's claims under another key that the header brings along or points to. */
const ownKey = async (header: (jwk: object) => object): Promise<string> => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { kty: 'EC', ...JSON.parse(JSON.stringify(await crypto.subtle.exportKey('jwk', publicKey))) };
  return new SignJWT(claimsOf(good))
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...header(jwk) })
    .sign(privateKey);
};
const hmacWith = (secret: Uint8Array): Promise<string> =>
  new SignJWT(claimsOf(good)).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' }).sign(secret);

describe('a forged token', () => {
  test('is compared with a good one, which is taken', async () => {
    expect((await at.ask({ authorization: `Bearer ${good}` })).status).toBe(200);
  });

  const forgeries: Readonly<Record<string, () => Promise<string> | string>> = {
    'alg none': () => `${part({ alg: 'none', typ: 'at+jwt' })}.${good.split('.')[1]}.`,
    'alg nOnE': () => `${part({ alg: 'nOnE', typ: 'at+jwt' })}.${good.split('.')[1]}.`,
    'alg none with the old signature': () => withHeader({ alg: 'none' }),
    'HS256 with the public key as secret (PEM)': async () => {
      const key = (await importJWK(at.publicJwk, 'ES256', { extractable: true })) as CryptoKey;
      return hmacWith(new TextEncoder().encode(await exportSPKI(key)));
    },
    'HS256 with the public key as secret (JWK)': () =>
      hmacWith(new TextEncoder().encode(JSON.stringify(at.publicJwk))),
    'an edited payload': () => {
      const [head, , signature] = good.split('.');
      return `${head}.${part({ ...claimsOf(good), tenant: 'lakeside' })}.${signature}`;
    },
    'an edited subject': () => {
      const [head, , signature] = good.split('.');
      return `${head}.${part({ ...claimsOf(good), sub: 'usr_admin' })}.${signature}`;
    },
    'a foreign key under our kid': () => ownKey(() => ({ kid: 'k1' })),
    'a foreign key without kid': () => ownKey(() => ({})),
    'an embedded jwk': () => ownKey((jwk) => ({ jwk })),
    'an embedded jwk under our kid': () => ownKey((jwk) => ({ jwk, kid: 'k1' })),
    'a kid that is a path': () => ownKey(() => ({ kid: '../../../../dev/null' })),
    'a kid that is SQL': () => ownKey(() => ({ kid: "k1' UNION SELECT 'key' --" })),
    'a kid that is a prototype': () => ownKey(() => ({ kid: '__proto__' })),
    'a jku of the attacker': () => ownKey(() => ({ jku: 'https://evil.example/jwks.json', kid: 'evil' })),
    'an x5u of the attacker': () => ownKey(() => ({ x5u: 'https://evil.example/cert.pem' })),
    'an x5c of the attacker': () => ownKey(() => ({ x5c: ['MIIBdummy'] })),
    'a critical extension': () => withHeader({ crit: ['exp'] }),
    'b64 false': () => withHeader({ b64: false, crit: ['b64'] }),
    'another algorithm name': () => withHeader({ alg: 'ES384' }),
    'no signature': () => `${good.split('.').slice(0, 2).join('.')}.`,
    'a signature of zeros': () =>
      `${good.split('.').slice(0, 2).join('.')}.${Buffer.alloc(64).toString('base64url')}`,
    'a signature cut short': () => good.slice(0, -8),
    'a signature in DER': () =>
      `${good.split('.').slice(0, 2).join('.')}.${Buffer.from('3006020101020101', 'hex').toString('base64url')}`,
    'a fourth part': () => `${good}.e30`,
    'two parts': () => good.split('.').slice(0, 2).join('.'),
    'an encrypted token': async () => {
      const { publicKey } = await generateKeyPair('ECDH-ES');
      return new CompactEncrypt(Buffer.from(good))
        .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
        .encrypt(publicKey);
    },
  };

  test.each(Object.keys(forgeries))('with %s is refused without a hint', async (name) => {
    const token = await forgeries[name]?.();
    const response = await at.unharmed([], () => at.ask({ authorization: `Bearer ${token}` }));
    // What has not even the letters of a token is none.
    await expectRefusedToken(response);
  });

  test('makes the server fetch nothing', async () => {
    const asked: string[] = [];
    const real = globalThis.fetch;
    globalThis.fetch = async (input, init) => {
      if (!String(input).startsWith(at.issuer)) asked.push(String(input));
      return real(input, init);
    };
    try {
      await at.ask({
        authorization: `Bearer ${await ownKey(() => ({ jku: 'http://127.0.0.1:9/', x5u: 'http://127.0.0.1:9/' }))}`,
      });
    } finally {
      globalThis.fetch = real;
    }
    expect(asked).toEqual([]);
  });
});
