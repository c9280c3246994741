import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** The key specs that are emulated. */
export type KeySpec = 'SYMMETRIC_DEFAULT' | 'ECC_NIST_EDWARDS25519' | 'ECC_NIST_P256' | 'HMAC_256';
/** What a key may be used for. */
export type KeyUsage = 'ENCRYPT_DECRYPT' | 'SIGN_VERIFY' | 'GENERATE_VERIFY_MAC';

interface SpecFacts {
  readonly usage: KeyUsage;
  /** Where `DescribeKey` lists the algorithms, and the algorithms. */
  readonly member: 'EncryptionAlgorithms' | 'SigningAlgorithms' | 'MacAlgorithms';
  readonly algorithms: readonly string[];
  /** Fresh secret: the raw key, or a PKCS#8 DER private key. */
  readonly generate: () => Buffer;
}

/** All that the emulator knows of each key spec. */
export const KEY_SPECS: Readonly<Record<KeySpec, SpecFacts>> = {
  SYMMETRIC_DEFAULT: {
    usage: 'ENCRYPT_DECRYPT',
    member: 'EncryptionAlgorithms',
    algorithms: ['SYMMETRIC_DEFAULT'],
    generate: () => randomBytes(32),
  },
  ECC_NIST_EDWARDS25519: {
    usage: 'SIGN_VERIFY',
    member: 'SigningAlgorithms',
    algorithms: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'],
    generate: () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }),
  },
  ECC_NIST_P256: {
    usage: 'SIGN_VERIFY',
    member: 'SigningAlgorithms',
    algorithms: ['ECDSA_SHA_256'],
    generate: () =>
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'der' }),
  },
  HMAC_256: {
    usage: 'GENERATE_VERIFY_MAC',
    member: 'MacAlgorithms',
    algorithms: ['HMAC_SHA_256'],
    generate: () => randomBytes(32),
  },
};

/** Specs that AWS has and this emulator refuses by name, rather than as nonsense. */
export const OTHER_KEY_SPECS = [
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'HMAC_224',
  'HMAC_384',
  'HMAC_512',
  'ML_DSA_44',
  'ML_DSA_65',
  'ML_DSA_87',
  'ML_KEM_512',
  'ML_KEM_768',
  'ML_KEM_1024',
  'SM2',
] as const;
