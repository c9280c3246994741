import { setTimeout as sleep } from 'node:timers/promises';
import { ChartsealError } from '../../src/kernel/errors.ts';
import { workJob } from '../../src/lifecycle/jobs/worker.ts';
import { BY, type KeyHouse } from '../lifecycle/key-house.ts';
import { openScene, openSceneStore, sceneFromEnv } from './scene.ts';

/** Rotates at all three levels, over and over, until SIGTERM or its death. It first goes on where another died. */

const scene = sceneFromEnv();
const store = openSceneStore(scene.store);
const house = await openScene(scene, store);
const ending = new AbortController();
process.once('SIGTERM', () => ending.abort());

const LEVELS: Readonly<Record<'rewrap' | 'reencrypt' | 'reindex', (at: KeyHouse) => Promise<string>>> = {
  rewrap: async ({ rotations, tenant }) => {
    // AWS rotates one key 25 times on demand; after that what is there is wrapped anew all the same.
    await rotations.rotateWrappingKey(tenant, BY).catch(expected);
    return rotations.rewrap(tenant, { by: BY, isWide: true });
  },
  reencrypt: ({ rotations, tenant }) =>
    rotations.reencrypt(tenant, { by: BY, before: Date.now(), isWide: true }),
  reindex: ({ rotations, tenant }) => rotations.reindex(tenant, { by: BY, isWide: true }),
};

/** KMS and the store fail on purpose here: what is retryable is tried again by the next turn. */
function expected(error: unknown): void {
  if (!(error instanceof ChartsealError && error.retryable)) throw error;
}

async function level(name: keyof typeof LEVELS): Promise<void> {
  while (!ending.signal.aborted) {
    try {
      const open = (await house.rotations.jobs.list(house.tenant)).find(
        ({ kind, state }) => kind === name && state === 'running',
      );
      const id = open?.id ?? (await LEVELS[name](house));
      const { state, left, aside } = await workJob(house.rotations.jobs, house.tenant, id, {
        signal: ending.signal,
      });
      process.stdout.write(`${name} ${state} ${left} ${aside}\n`);
    } catch (error) {
      expected(error);
    }
    await sleep(100);
  }
}

await Promise.all((Object.keys(LEVELS) as (keyof typeof LEVELS)[]).map(level));
await store.close();
