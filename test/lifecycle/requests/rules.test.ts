import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  REFUSALS,
  REQUEST_KINDS,
  REQUEST_STATES,
  type RequestRow,
} from '../../../src/lifecycle/requests/request.ts';
import {
  afterStep,
  checkAsked,
  isOpen,
  REQUEST_LIMITS,
  type Step,
  viewOf,
} from '../../../src/lifecycle/requests/rules.ts';

const NOW = Date.parse('2026-11-24T13:00:00Z');
const rowOf = (change: Partial<RequestRow> = {}): RequestRow => ({
  patient: 'pat_1',
  kind: 'erasure',
  state: 'asked',
  about: null,
  asker: 'usr_1',
  askedAt: NOW,
  changedAt: NOW,
  until: NOW + REQUEST_LIMITS.confirmMs,
  reason: null,
  reviewer: null,
  linked: null,
  same: Buffer.alloc(32),
  hasWords: false,
  ...change,
});
const walk = (row: RequestRow, steps: readonly Step[], now = NOW): RequestRow =>
  steps.reduce((at, step) => afterStep(at, step, now), row);
const approve = (by: string): Step => ({ step: 'approve', by });

describe('a request about a person’s data', () => {
  test('an export is confirmed, made, fetched for a week, and then gone', () => {
    const ready = walk(rowOf({ kind: 'export' }), [{ step: 'confirm' }, { step: 'made' }]);
    expect(ready).toMatchObject({ state: 'ready', until: NOW + REQUEST_LIMITS.readyMs });
    expect(isOpen(ready, NOW + REQUEST_LIMITS.readyMs - 1)).toBe(true);
    expect(isOpen(ready, NOW + REQUEST_LIMITS.readyMs)).toBe(false);
    expect(afterStep(ready, { step: 'expire' }, NOW + REQUEST_LIMITS.readyMs).state).toBe('expired');
  });

  test('an erasure takes two different people and then a week in which it can be withdrawn', () => {
    const review = walk(rowOf(), [{ step: 'confirm' }]);
    const first = afterStep(review, approve('usr_a'), NOW);
    expect(first).toMatchObject({ state: 'review', reviewer: 'usr_a' });
    expect(() => afterStep(first, approve('usr_a'), NOW)).toThrow(/review/);
    const cooling = afterStep(first, approve('usr_b'), NOW);
    expect(cooling).toMatchObject({ state: 'cooling', until: NOW + REQUEST_LIMITS.coolingMs });
    expect(() => afterStep(cooling, { step: 'begin' }, NOW + REQUEST_LIMITS.coolingMs - 1)).toThrow();
    expect(afterStep(cooling, { step: 'withdraw' }, NOW + 1).state).toBe('withdrawn');
    const erasing = afterStep(cooling, { step: 'begin' }, NOW + REQUEST_LIMITS.coolingMs);
    expect(() => afterStep(erasing, { step: 'withdraw' }, NOW)).toThrow(/erasing/);
    expect(afterStep(erasing, { step: 'finish' }, NOW).state).toBe('done');
  });

  test('a cooling-off does not expire: the erasure waits for its job', () => {
    const cooling = rowOf({ state: 'cooling', until: NOW });
    expect(isOpen(cooling, NOW + 1e12)).toBe(true);
  });

  test('a refusal is an answer with a reason, in the review and in the cooling-off', () => {
    const refuse: Step = { step: 'refuse', by: 'usr_a', reason: 'retention' };
    for (const state of ['review', 'cooling'])
      expect(viewOf('r', afterStep(rowOf({ state, until: null }), refuse, NOW), NOW)).toMatchObject({
        state: 'refused',
        reason: 'retention',
        answerBy: null,
      });
  });

  test('what nobody confirms within a week is over, before any job has said so', () => {
    const late = NOW + REQUEST_LIMITS.confirmMs;
    expect(viewOf('r', rowOf(), late).state).toBe('expired');
    expect(() => afterStep(rowOf(), { step: 'confirm' }, late)).toThrow(/expired/);
  });

  test('a correction is answered by one person, a consent change needs none', () => {
    expect(walk(rowOf({ kind: 'correction' }), [{ step: 'confirm' }, approve('usr_a')]).state).toBe('done');
    expect(walk(rowOf({ kind: 'consent' }), [{ step: 'confirm' }]).state).toBe('done');
  });

  test('nothing leads out of an end, and no step invents a state', () => {
    const steps: Step[] = [
      ...(['confirm', 'withdraw', 'made', 'begin', 'finish', 'expire'] as const).map((step) => ({ step })),
      approve('usr_a'),
      { step: 'refuse', by: 'usr_a', reason: 'retention' },
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...REQUEST_KINDS),
        fc.constantFrom(...REQUEST_STATES),
        fc.constantFrom(...steps),
        fc.integer({ min: -1, max: 1 }),
        (kind, state, step, age) => {
          const row = rowOf({ kind, state, until: NOW + age });
          const over = !isOpen(row, NOW);
          try {
            const next = afterStep(row, step, NOW);
            expect(REQUEST_STATES).toContain(next.state);
            expect(over && step.step !== 'expire').toBe(false);
          } catch (error) {
            expect(error).toMatchObject({ code: 'REQUEST_STATE' });
          }
        },
      ),
    );
  });

  test.each([
    { kind: 'consent', about: null, words: null },
    { kind: 'consent', about: 'treatment.none', words: null },
    { kind: 'export', about: 'treatment.granted', words: null },
    { kind: 'export', about: null, words: 'Everything, please.' },
    { kind: 'correction', about: null, words: null },
    { kind: 'correction', about: null, words: ' a ' },
    { kind: 'correction', about: null, words: 'x'.repeat(2_001) },
  ] as const)('$kind with about $about is refused unless it comes with just what it needs', (asked) => {
    expect(() => checkAsked(asked)).toThrow(expect.objectContaining({ code: 'REQUEST_INPUT' }));
  });

  test('the stored words are pinned', () => {
    expect(REQUEST_KINDS).toEqual(['export', 'correction', 'consent', 'erasure']);
    expect(REQUEST_STATES.join()).toBe(
      'asked,confirmed,review,cooling,erasing,ready,done,refused,withdrawn,expired',
    );
    expect(Object.keys(REFUSALS).join()).toBe('retention,legal-hold,not-entitled,accurate,not-ours');
  });
});
