import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Turns } from '../../src/clinic/turns.ts';

test('those who ask for one key go one after another, in order, also when one fails', async () => {
  const turns = new Turns();
  const told: string[] = [];
  const ask = (name: string, fail = false) =>
    turns.take('slot', async () => {
      told.push(`${name} in`);
      await sleep(1);
      told.push(`${name} out`);
      if (fail) throw new Error(name);
      return name;
    });
  const outcomes = await Promise.allSettled([ask('a'), ask('b', true), ask('c')]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(told).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
});

test('other keys do not wait', async () => {
  const turns = new Turns();
  const never = turns.take('one', () => new Promise<void>(() => {}));
  expect(await turns.take('two', async () => 'free')).toBe('free');
  void never;
});
