import { execFileSync } from 'node:child_process';
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { encodeContext, type SealContext, WHOLE } from '../../src/crypto/context.ts';
import { fillRandom } from '../../src/crypto/random-pool.ts';
import { open, SEAL_OVERHEAD, seal } from '../../src/crypto/sealed-value.ts';
import { newPatientId, type TenantId } from '../../src/kernel/ids.ts';
import { type Bench, type BenchOptions, compare, type Measured } from './bench.ts';

const key = { version: 1, secret: createSecretKey(randomBytes(32)) };
const patient = newPatientId();
const COMPARTMENTS = [
  'demographics',
  'contact',
  'identifiers',
  'clinical',
  'sensitive',
  'financial',
] as const;
const contextOf = (compartment: SealContext['compartment']): SealContext => ({
  tenant: 'riverside' as TenantId,
  patient,
  collection: 'charts',
  document: patient,
  compartment,
  schema: 1,
  revision: 7,
  ...WHOLE,
});
const context = encodeContext(contextOf('clinical'));

/** The floor: one AES-256-GCM under a KeyObject, its IV from a pool, everything in one buffer. */
function bareSeal(plaintext: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(28 + plaintext.length);
  const iv = sealed.subarray(0, 12);
  fillRandom(iv);
  const cipher = createCipheriv('aes-256-gcm', key.secret, iv);
  cipher.update(plaintext).copy(sealed, 12);
  cipher.final();
  cipher.getAuthTag().copy(sealed, 12 + plaintext.length);
  return sealed;
}

function bareOpen(sealed: Buffer): Buffer {
  const tagAt = sealed.length - 16;
  const decipher = createDecipheriv('aes-256-gcm', key.secret, sealed.subarray(0, 12));
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plaintext = decipher.update(sealed.subarray(12, tagAt));
  decipher.final();
  return plaintext;
}

function sealing(size: number): Bench['measure'] {
  const plaintext = randomBytes(size);
  return (options) =>
    compare(
      () => seal(plaintext, key, context),
      () => bareSeal(plaintext),
      options,
    );
}

function opening(size: number): Bench['measure'] {
  const plaintext = randomBytes(size);
  const sealed = seal(plaintext, key, context);
  const bare = bareSeal(plaintext);
  return (options) =>
    compare(
      () => open(sealed, key, context),
      () => bareOpen(bare),
      options,
    );
}

/** Six compartments of 500 bytes with their contexts encoded, beside six bare ciphers. */
function sealingChart(options: BenchOptions): Measured {
  const plaintext = randomBytes(500);
  return compare(
    () => COMPARTMENTS.map((compartment) => seal(plaintext, key, encodeContext(contextOf(compartment)))),
    () => COMPARTMENTS.map(() => bareSeal(plaintext)),
    options,
  );
}

/** What a process grows by when it holds 10,000 patients' keys. */
function cacheMemory(): Measured {
  const script = join(import.meta.dirname, 'key-cache-memory.ts');
  const grown = execFileSync(process.execPath, ['--expose-gc', script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { value: Number(grown) / 1e6, floor: null };
}

export const CRYPTO_BENCHES: readonly Bench[] = [
  { name: 'crypto/key-cache-10000', unit: 'MB', target: 30, measure: cacheMemory },
  { name: 'crypto/seal-1k', unit: 'us', target: 3, measure: sealing(1_024) },
  { name: 'crypto/open-1k', unit: 'us', target: 3, measure: opening(1_024) },
  { name: 'crypto/seal-16k', unit: 'us', target: 1.6, measure: sealing(16_384) },
  { name: 'crypto/open-16k', unit: 'us', target: 1.6, measure: opening(16_384) },
  { name: 'crypto/seal-chart-of-6', unit: 'us', target: 3, measure: sealingChart },
  {
    name: 'crypto/encode-context',
    unit: 'us',
    target: 2,
    measure: (options) => ({
      value: compare(
        () => encodeContext(contextOf('clinical')),
        () => undefined,
        options,
      ).value,
      floor: null,
    }),
  },
  {
    name: 'crypto/overhead',
    unit: 'bytes',
    target: 72,
    measure: () => ({ value: seal(new Uint8Array(1_000), key, context).length - 1_000, floor: null }),
  },
];

if (SEAL_OVERHEAD !== 72) throw new Error('The sealed format adds 72 bytes.');
