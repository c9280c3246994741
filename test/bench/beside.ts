import { createSecretKey, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { encodeContext, WHOLE } from '../../src/crypto/context.ts';
import { open, seal } from '../../src/crypto/sealed-value.ts';
import { newPatientId, type TenantId } from '../../src/kernel/ids.ts';
import type { BenchOptions, Measured } from './bench.ts';

/**
 * What a team would otherwise take, side by side with ours: `value` is the rival's time for 1 KB, `floor` ours, so
 * the ratio says how many times faster ours is. Installed apart, with no script of theirs:
 *
 *     npm --prefix test/bench/rivals ci --ignore-scripts && npm --prefix test/bench/rivals run build
 *
 * The build is of MongoDB’s binding against libmongocrypt (Debian: libmongocrypt-dev) and the headers of Node-API.
 */

export const patient = newPatientId();
const key = { version: 1, secret: createSecretKey(randomBytes(32)) };
const context = encodeContext({
  tenant: 'riverside' as TenantId,
  patient,
  collection: 'charts',
  document: patient,
  compartment: 'clinical',
  schema: 1,
  revision: 1,
  ...WHOLE,
});
export const plaintext = randomBytes(1_024);

const sealed = seal(plaintext, key, context);
export const ourSeal = (): Uint8Array => seal(plaintext, key, context);
export const ourOpen = (): Uint8Array => open(sealed, key, context);

/** A package of the rivals' own folder; null where it is not installed, or not built. */
export function rival<T>(name: string): T | null {
  try {
    return createRequire(join(import.meta.dirname, 'rivals/package.json'))(name) as T;
  } catch {
    return null;
  }
}

/** The rival's microseconds beside ours, each the best of many rounds. */
export async function beside(
  rival: () => unknown,
  ours: () => unknown,
  { quick }: BenchOptions,
): Promise<Measured> {
  // Each is timed over about the same span: 30 calls of the rival take as long as 1,200 of ours.
  const rounds = quick ? 5 : 25;
  const best = { value: Number.POSITIVE_INFINITY, floor: Number.POSITIVE_INFINITY };
  for (let round = -3; round < rounds; round += 1) {
    const value = await timed(30, rival);
    const floor = timedNow(1_200, ours);
    if (round >= 0) {
      best.value = Math.min(best.value, value);
      best.floor = Math.min(best.floor, floor);
    }
  }
  return best;
}

async function timed(calls: number, work: () => unknown): Promise<number> {
  const start = performance.now();
  for (let call = 0; call < calls; call += 1) {
    const done = work();
    if (done instanceof Promise) await done;
  }
  return ((performance.now() - start) * 1_000) / calls;
}

/** Ours is synchronous; an await of its own would be charged to it. */
function timedNow(calls: number, work: () => unknown): number {
  const start = performance.now();
  for (let call = 0; call < calls; call += 1) work();
  return ((performance.now() - start) * 1_000) / calls;
}
