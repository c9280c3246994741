import { createDecipheriv, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

/**
 * The primitives below the sealed format, called exactly as it calls them, against Project Wycheproof's vectors.
 * HKDF is not among them: the format derives with one HMAC. Where the vectors are not on this machine the names
 * of the tests say so, and two vectors of the standards are what runs.
 */
const FOLDER = join(import.meta.dirname, '../../../shared/data/wycheproof');
const present = existsSync(join(FOLDER, 'aes_gcm_test.json'));

interface Vector {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly key: string;
  readonly msg: string;
  readonly tag: string;
  readonly iv: string;
  readonly aad: string;
  readonly ct: string;
}
type Group = Readonly<Record<'ivSize' | 'tagSize' | 'keySize', number>> & { readonly tests: Vector[] };

const groupsOf = (file: string): Group[] =>
  (JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as { testGroups: Group[] }).testGroups;

/** McGrew and Viega, test case 16 (AES-256, 96-bit IV, AAD), and the same with its tag changed. */
const GCM_OF_THE_STANDARD: Omit<Vector, 'tcId' | 'result'> = {
  key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
  iv: 'cafebabefacedbaddecaf888',
  aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
  msg:
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
    '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  ct:
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
    '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662',
  tag: '76fc6ece0f4e1768cddf8853bb2d551b',
};
const gcmVectors: Vector[] = present
  ? groupsOf('aes_gcm_test.json')
      .filter(({ ivSize, tagSize, keySize }) => ivSize === 96 && tagSize === 128 && keySize === 256)
      .flatMap(({ tests }) => tests)
  : [
      { ...GCM_OF_THE_STANDARD, tcId: 1, result: 'valid' },
      { ...GCM_OF_THE_STANDARD, tcId: 2, result: 'invalid', tag: `77${GCM_OF_THE_STANDARD.tag.slice(2)}` },
    ];

/** RFC 4231, test case 2, and the same with its tag changed. */
const MAC_OF_THE_STANDARD = {
  key: '4a656665',
  msg: '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
  tag: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  iv: '',
  aad: '',
  ct: '',
};
const macVectors: Vector[] = present
  ? groupsOf('hmac_sha256_test.json')
      .filter(({ tagSize }) => tagSize === 256)
      .flatMap(({ tests }) => tests)
  : [
      { ...MAC_OF_THE_STANDARD, tcId: 1, result: 'valid' },
      { ...MAC_OF_THE_STANDARD, tcId: 2, result: 'invalid', tag: `5c${MAC_OF_THE_STANDARD.tag.slice(2)}` },
    ];

const source = present ? 'Wycheproof' : 'the standards (Wycheproof is not on this machine)';
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

describe(`AES-256-GCM by the vectors of ${source}`, () => {
  test.each(gcmVectors)('$tcId is $result', (vector) => {
    const decipher = createDecipheriv('aes-256-gcm', createSecretKey(bytes(vector.key)), bytes(vector.iv), {
      authTagLength: 16,
    });
    decipher.setAAD(bytes(vector.aad));
    decipher.setAuthTag(bytes(vector.tag));
    const plaintext = decipher.update(bytes(vector.ct));
    if (vector.result === 'valid') {
      decipher.final();
      expect(plaintext.toString('hex')).toBe(vector.msg);
    } else {
      expect(() => decipher.final()).toThrow();
    }
  });
});

describe(`HMAC-SHA-256 by the vectors of ${source}`, () => {
  test.each(macVectors)('$tcId is $result', ({ key, msg, tag, result }) => {
    const mac = createHmac('sha256', createSecretKey(bytes(key)))
      .update(bytes(msg))
      .digest();
    expect(timingSafeEqual(mac, bytes(tag))).toBe(result === 'valid');
  });
});

test('HMAC-SHA-512, by which values are derived, gives the answer of RFC 4231 (test case 2)', () => {
  const mac = createHmac('sha512', createSecretKey(Buffer.from('Jefe')));
  expect(mac.update('what do ya want for nothing?').digest('hex')).toBe(
    '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554' +
      '9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
  );
});
