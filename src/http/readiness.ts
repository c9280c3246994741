import type { Clock } from '../kernel/clock.ts';

/** How a part is. `none`: there is no such part here, and nothing waits for it. */
export type PartState = 'ok' | 'down' | 'stale' | 'none';

/** One part that must work before requests are sent here. */
export interface Part {
  /** How long an answer holds, ms. */
  readonly holdsMs: number;
  /** What it throws counts as down. */
  ask(): Promise<PartState>;
}

/** What `/readyz` says: states alone. */
export interface Readiness {
  readonly status: 'ready' | 'unready';
  readonly parts: Readonly<Record<string, PartState>>;
}

/** No part is waited for longer than this, ms. */
const DEADLINE_MS = 3_000;
/** What is not well is asked again after this, ms. */
const RETRY_MS = 5_000;
const WELL: readonly PartState[] = ['ok', 'none'];

/**
 * Answers whether every part works. Each is asked by one caller at a time and its answer held for some seconds, so that
 * whoever floods the address asks no more of the store or KMS than one who looks now and then.
 */
export function readiness(parts: Readonly<Record<string, Part>>, clock: Clock): () => Promise<Readiness> {
  const held = Object.entries(parts).map(([name, part]) => [name, holding(part, clock)] as const);
  return async () => {
    const states = await Promise.all(held.map(async ([name, ask]) => [name, await ask()] as const));
    const isReady = states.every(([, state]) => WELL.includes(state));
    return { status: isReady ? 'ready' : 'unready', parts: Object.fromEntries(states) };
  };
}

/** Asks again once the answer is too old; who comes meanwhile waits for the same answer. */
function holding({ holdsMs, ask }: Part, clock: Clock): () => Promise<PartState> {
  let last: { readonly at: number; readonly state: Promise<PartState>; holdsMs: number } | null = null;
  return () => {
    const now = clock();
    if (last !== null && now - last.at < last.holdsMs) return last.state;
    const asked = { at: now, state: bounded(ask), holdsMs };
    last = asked;
    void asked.state.then((state) => {
      // Recovery is seen soon.
      if (!WELL.includes(state)) asked.holdsMs = Math.min(holdsMs, RETRY_MS);
    });
    return asked.state;
  };
}

async function bounded(ask: () => Promise<PartState>): Promise<PartState> {
  const { promise: late, resolve } = Promise.withResolvers<PartState>();
  const timer = setTimeout(() => resolve('down'), DEADLINE_MS);
  try {
    return await Promise.race([ask(), late]);
  } catch {
    return 'down';
  } finally {
    clearTimeout(timer);
  }
}
