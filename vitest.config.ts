import { defineConfig } from 'vitest/config';

/** What starts the whole emulator suite and keeps all of it busy: beside other suites its queue gives up. */
const ALONE = 'test/e2e/jobs-functions.stack.test.ts';

/** `unit` needs nothing but Node; `stack` runs on real backends that its global setup starts; `alone` runs after both. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.stack.test.ts'],
          // One module graph a worker: half the time of the fast gate. A unit test leaves no global behind, and is fast.
          isolate: false,
          testTimeout: 20_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'stack',
          include: ['test/**/*.stack.test.ts'],
          exclude: [ALONE],
          globalSetup: ['test/stack-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 90_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'alone',
          include: [ALONE],
          testTimeout: 60_000,
          hookTimeout: 90_000,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
