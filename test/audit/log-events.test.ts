import { expect, test } from 'vitest';
import { leavesOf } from '../../src/audit/log-events.ts';
import type { LogSource } from '../../src/audit/verify/source.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A log that is sequenced as soon as anybody has looked at it once, in whichever way. */
function sequencedMeanwhile(tree: readonly string[], waiting: readonly string[]): LogSource {
  let isSequenced = false;
  const look = <T>(seen: T): T => {
    isSequenced = true;
    return seen;
  };
  const now = () => (isSequenced ? [...tree, ...waiting] : tree);
  return {
    size: async () => look(now().length),
    tile: async () => null,
    leaves: async () => look(now().map(bytes)),
    pending: async function* () {
      for (const text of look(isSequenced ? [] : waiting))
        yield { id: text, leafHash: new Uint8Array(32), leaf: bytes(text) };
    },
  };
}

test('an event that is sequenced while the log is read is told once, in its place', async () => {
  const told: [string, number | null][] = [];
  for await (const { leaf, index } of leavesOf(sequencedMeanwhile(['a'], ['b', 'c'])))
    told.push([new TextDecoder().decode(leaf), index]);
  expect(told).toEqual([
    ['a', 0],
    ['b', 1],
    ['c', 2],
  ]);
});
