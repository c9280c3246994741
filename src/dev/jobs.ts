import { setTimeout as sleep } from 'node:timers/promises';
import { checkpointRound, sequenceRound } from '../audit/rounds.ts';
import { uploadRound } from '../clinic/documents/uploads.ts';
import { sweepRound } from '../clinic/sweep-holds.ts';
import { expiryRound } from '../collections.ts';
import type { Composed } from '../compose.ts';
import type { Config } from '../config.ts';
import { configurationRound } from '../configuration.ts';
import { ChartsealError } from '../kernel/errors.ts';
import type { TenantId } from '../kernel/ids.ts';
import { privacyRound } from '../lifecycle/privacy-round.ts';
import { addSigners } from './audit-signers.ts';
import { rotationTurn } from './rotation-turn.ts';

/** Something that the clock starts. In production each is a scheduled function (`functions/index.ts`). */
export interface ClockJob {
  readonly name: string;
  /** From the end of one run to the start of the next, ms. */
  readonly everyMs: number;
  run(round: JobRound): Promise<unknown>;
}

/** What a run is given. */
export interface JobRound {
  readonly tenants: readonly TenantId[];
  readonly signal: AbortSignal;
  /** Told of what went wrong with one tenant; the run goes on. */
  readonly onFault: (error: unknown) => void;
}

/** Every job of the local stack, more often than in production so that a developer sees what it does. */
export function stackJobs(
  config: Config,
  { store, services, privacy, proof, rotations, admin }: Composed,
): ClockJob[] {
  const { audit, clock } = services;
  return [
    {
      name: 'sequence',
      everyMs: 2_000,
      run: ({ tenants, ...round }) => sequenceRound(store, tenants, round),
    },
    {
      name: 'checkpoint',
      everyMs: 60_000,
      run: async ({ tenants, onFault }) => {
        if (proof === null || admin === null) return;
        await addSigners(proof, admin, tenants);
        await checkpointRound(proof.checkpoints, tenants, onFault);
      },
    },
    {
      name: 'holds',
      everyMs: 10_000,
      run: ({ tenants, ...round }) => sweepRound(tenants, { ...round, store, audit, clock }),
    },
    {
      name: 'privacy',
      everyMs: 10_000,
      run: ({ tenants, ...round }) => privacyRound(privacy, tenants, round),
    },
    {
      name: 'rotation',
      everyMs: 60_000,
      run: (round) => rotationTurn(rotations, round),
    },
    {
      name: 'configuration',
      everyMs: 60_000,
      run: (round) => configurationRound(config, { store, audit }, round),
    },
    {
      name: 'expiry',
      everyMs: 3_600_000,
      run: async ({ tenants, ...round }) => {
        await expiryRound({ store, audit }, tenants, { ...round, now: clock() });
        await uploadRound(privacy, tenants, round);
      },
    },
  ];
}

/**
 * Runs each job now and then again by its interval, each by itself.
 *
 * @returns how to end it: waits for the runs under way.
 */
export function startJobs(
  jobs: readonly ClockJob[],
  options: {
    readonly tenants: () => Promise<readonly TenantId[]>;
    readonly onFault: (fault: { name: string; code: string }) => void;
  },
): () => Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;
  const running = jobs.map(async ({ name, everyMs, run }) => {
    const onFault = (error: unknown): void =>
      options.onFault(
        error instanceof ChartsealError ? error : { name: 'Error', code: `JOB_${name.toUpperCase()}` },
      );
    while (!signal.aborted) {
      try {
        await run({ tenants: await options.tenants(), signal, onFault });
      } catch (error) {
        onFault(error);
      }
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  });
  return async () => {
    ending.abort();
    await Promise.all(running);
  };
}
