/** One thing that is measured. */
export interface Bench {
  /** Stable and unique: `--list` names it, and figures are compared by it. */
  readonly name: string;
  readonly unit: 'us' | 'bytes' | 'MB' | 'count';
  /** The most that the ratio may be, where there is a floor, else the most that the value may be. */
  readonly target: number;
  /** The target is the least, not the most. */
  readonly atLeast?: true;
  measure(options: BenchOptions): Promise<Measured> | Measured;
}

export interface BenchOptions {
  /** For CI: fewer rounds. Ratios stay, noise grows. */
  readonly quick: boolean;
}

/** `floor` is the least that the same work could cost, measured in the same breath; null where there is none. */
export interface Measured {
  readonly value: number;
  readonly floor: number | null;
}

const BATCH = 300;

/**
 * The time of one call in microseconds, of the work and of its floor. Their batches take turns, so that whatever
 * else the machine does meets both, and the best batch of each counts.
 */
export function compare(work: () => unknown, floor: () => unknown, { quick }: BenchOptions): Measured {
  const rounds = quick ? 40 : 200;
  const best = { value: Number.POSITIVE_INFINITY, floor: Number.POSITIVE_INFINITY };
  for (let round = -10; round < rounds; round += 1) {
    const value = timeBatch(work);
    const bare = timeBatch(floor);
    if (round < 0) continue;
    best.value = Math.min(best.value, value);
    best.floor = Math.min(best.floor, bare);
  }
  return best;
}

function timeBatch(work: () => unknown): number {
  const start = performance.now();
  for (let call = 0; call < BATCH; call += 1) work();
  return ((performance.now() - start) * 1_000) / BATCH;
}
