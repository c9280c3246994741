import { setTimeout as sleep } from 'node:timers/promises';

const MAX_ATTEMPTS = 3;

/** Whether an answer may be another one the next time. */
export const isPassing = (status: number): boolean => status >= 500 || status === 409 || status === 429;

/**
 * Sends a request that may be sent again, at most 3 times. `response` is null when no attempt had an answer; `attempts`
 * says whether an earlier one may have had its effect though its answer was lost.
 */
export async function attempt(
  send: () => Promise<Response>,
): Promise<{ response: Response | null; attempts: number }> {
  for (let attempts = 1; ; attempts += 1) {
    const response = await send().catch(() => null);
    const isOver = response !== null && !isPassing(response.status);
    if (isOver || attempts === MAX_ATTEMPTS) return { response, attempts };
    await response?.body?.cancel().catch(() => undefined);
    await sleep(Math.random() * 200 * 2 ** attempts);
  }
}
