import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 16_384;
const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let used = POOL_BYTES;

/**
 * Copies fresh random bytes into `target`. One system call serves many values; each byte is handed out once,
 * and as a copy, because a view would change when the pool is refilled.
 */
export function fillRandom(target: Buffer): void {
  if (used + target.length > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  pool.copy(target, 0, used, used + target.length);
  pool.fill(0, used, used + target.length);
  used += target.length;
}
