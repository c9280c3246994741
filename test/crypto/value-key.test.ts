import { createHash, createHmac, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commitment, deriveValueKey } from '../../src/crypto/value-key.ts';

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const key = bytes(32, 32);

test('key and commitment are HMAC-SHA-512 of label, header and context digest, whatever key came before', () => {
  fc.assert(
    fc.property(fc.array(key, { minLength: 1, maxLength: 3 }), bytes(24, 56), bytes(0, 3_000), (...of) => {
      const [keys, header, context] = of;
      const secrets = keys.map((one) => createSecretKey(one));
      for (const secret of [...secrets, ...secrets]) {
        const valueKey = deriveValueKey(Buffer.from(header), secret, context);
        const mac = createHmac('sha512', secret)
          .update('chartseal/kdf/1\0')
          .update(header.subarray(0, 24))
          .update(createHash('sha256').update(context).digest())
          .digest('hex');
        expect(valueKey.export().toString('hex')).toBe(mac.slice(0, 64));
        expect(Buffer.from(commitment).toString('hex')).toBe(mac.slice(64));
      }
    }),
  );
});

test.each([16, 31, 33, 64, 129])('a data key of %i bytes is refused', (length) => {
  const secret = createSecretKey(Buffer.alloc(length, 1));
  expect(() => deriveValueKey(Buffer.alloc(24), secret, Buffer.alloc(1))).toThrow(
    expect.objectContaining({ code: 'FORMAT' }),
  );
});
