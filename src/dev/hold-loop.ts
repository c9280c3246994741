import { setTimeout as sleep } from 'node:timers/promises';
import { sweepRound } from '../clinic/sweep-holds.ts';
import type { Composed } from '../compose.ts';
import { ChartsealError } from '../kernel/errors.ts';

const SWEEP_MS = 10_000;

/**
 * What a scheduled function does in production: frees the times whose hold is over and offers them to the waiting
 * list, every ten seconds.
 *
 * @returns how to end it: waits for the round under way.
 */
export function startHoldLoop(
  { store, services, tenants }: Composed,
  onFault: (fault: { name: string; code: string }) => void,
): () => Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;
  const tell = (error: unknown): void => {
    const isOurs = error instanceof ChartsealError;
    onFault({ name: isOurs ? error.name : 'Error', code: isOurs ? error.code : 'HOLD_LOOP' });
  };
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      const { audit, clock } = services;
      await sweepRound(await tenants().catch(() => []), { store, audit, clock, signal, onFault: tell });
      await sleep(SWEEP_MS, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = loop().catch(tell);
  return async () => {
    ending.abort();
    await running;
  };
}
