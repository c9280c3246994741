import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { at, openClinic, type TestClinic } from './house.ts';

/**
 * The slot state machine beside a plain model of it: each of three half hours is free, booked by somebody, or held for
 * somebody until a moment. After each command the answer, the visits and the claims are exactly what the model says.
 */

/** The long form: `CHARTSEAL_MODEL_RUNS=5000`. */
const RUNS = Number(process.env['CHARTSEAL_MODEL_RUNS'] ?? 60);
const HOLD_MS = 60_000;
const DAY = '2026-12-03';
const HALVES = ['09:00', '09:30', '10:00'].map((time) => `${DAY}T${time}`);
const HALF_MS = 1_800_000;

type Slot = { readonly booked: number } | { readonly held: number; readonly until: number } | null;
interface Model {
  readonly slots: Slot[];
  now: number;
}
interface Real {
  readonly clinic: TestClinic;
  readonly people: readonly Awaited<ReturnType<TestClinic['newPatient']>>[];
}
type Command = fc.AsyncCommand<Model, Real>;

/** Whether `who` may take a half hour, as the model has it. `from` is their own that they leave for it. */
function open({ slots, now }: Model, half: number, who: number, from?: number): boolean {
  const slot = slots[half];
  if (slot == null || half === from) return true;
  return 'held' in slot && (slot.held === who || slot.until <= now);
}

/** The half hour of somebody's first booked visit; moving and cancelling are about that one. */
const firstOf = ({ slots }: Model, who: number): number =>
  slots.findIndex((slot) => slot !== null && 'booked' in slot && slot.booked === who);

async function firstVisit({ clinic, people }: Real, who: number) {
  const of = personOf(people, who);
  const found = (await clinic.visits(of)).find(({ appointment }) => appointment.status === 'booked');
  if (found === undefined) throw new Error('The model knows of a visit that is not there.');
  return { of, ...found };
}

function personOf(people: Real['people'], who: number): Real['people'][number] {
  const of = people[who];
  if (of === undefined) throw new Error('no such person');
  return of;
}

async function expectSame({ slots }: Model, { clinic, people }: Real): Promise<void> {
  const claims = await clinic.store
    .tenant(clinic.tenant)
    .busy(['dr'], { from: at(`${DAY}T00:00`), to: at('2026-12-04T00:00') });
  const claimed = claims.map(({ from, to, booking }) => [from, to, booking.startsWith('hold_')]);
  const expected = slots.flatMap((slot, half) => {
    const from = at(HALVES[half] ?? '');
    return slot === null ? [] : [[from, from + HALF_MS, 'held' in slot]];
  });
  expect(claimed.sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual(expected);
  for (const [who, of] of people.entries()) {
    const visits = await clinic.visits(of);
    const booked = visits.filter(({ appointment }) => appointment.status === 'booked');
    const mine = slots.flatMap((slot, half) =>
      slot !== null && 'booked' in slot && slot.booked === who ? [at(HALVES[half] ?? '')] : [],
    );
    expect(booked.map(({ appointment }) => appointment.start)).toEqual(mine);
  }
}

/** Runs an act on both and compares what came of it. */
const command = (
  name: string,
  act: (model: Model, real: Real) => Promise<void>,
  check: (model: Readonly<Model>) => boolean = () => true,
): Command => ({
  check,
  run: async (model, real) => {
    await act(model, real);
    await expectSame(model, real);
  },
  toString: () => name,
});

const book = (who: number, half: number) =>
  command(`book(${who}, ${half})`, async (model, { clinic, people }) => {
    const done = open(model, half, who);
    const answer = await clinic.book(personOf(people, who), clinic.slot(HALVES[half] ?? ''));
    expect(answer.outcome).toBe(done ? 'done' : 'taken');
    if (done) model.slots[half] = { booked: who };
  });

const move = (who: number, half: number) =>
  command(
    `move(${who}, ${half})`,
    async (model, real) => {
      const from = firstOf(model, who);
      const done = open(model, half, who, from);
      const { of, id } = await firstVisit(real, who);
      const answer = await real.clinic.move(of, id, real.clinic.slot(HALVES[half] ?? ''));
      expect(answer.outcome).toBe(done ? 'done' : 'taken');
      if (!done) return;
      if (from !== half) model.slots[from] = { held: who, until: model.now + HOLD_MS };
      model.slots[half] = { booked: who };
    },
    (model) => firstOf(model, who) >= 0,
  );

const cancel = (who: number) =>
  command(
    `cancel(${who})`,
    async (model, real) => {
      const { of, id: appointmentId, appointment } = await firstVisit(real, who);
      const asked = { ...real.clinic.asked(of), appointmentId, appointment, reason: null };
      const confirm = `${appointmentId}/${appointment.changedAt}`;
      expect((await real.clinic.bookings.cancel({ ...asked, confirm })).outcome).toBe('done');
      model.slots[firstOf(model, who)] = { held: who, until: model.now + HOLD_MS };
    },
    (model) => firstOf(model, who) >= 0,
  );

const wait = (seconds: number) =>
  command(`wait(${seconds})`, async (model, { clinic }) => {
    model.now += seconds * 1_000;
    clinic.clock.now = model.now;
  });

const sweep = () =>
  command('sweep', async (model, { clinic }) => {
    const over = model.slots.flatMap((slot, half) =>
      slot !== null && 'held' in slot && slot.until <= model.now ? [half] : [],
    );
    expect(await clinic.sweep()).toEqual({ freed: over.length, offered: 0 });
    for (const half of over) model.slots[half] = null;
  });

const who = fc.integer({ min: 0, max: 2 });
const half = fc.integer({ min: 0, max: HALVES.length - 1 });

test('every answer, visit and claim is what a plain model of the slots says', async () => {
  const commands = fc.commands(
    [
      fc.tuple(who, half).map(([person, slot]) => book(person, slot)),
      fc.tuple(who, half).map(([person, slot]) => move(person, slot)),
      who.map(cancel),
      fc.constantFrom(1, 59, 60).map(wait),
      fc.constant(sweep()),
    ],
    { maxCommands: 40, size: 'max' },
  );
  await fc.assert(
    fc.asyncProperty(commands, async (all) => {
      const clinic = await openClinic(createMemoryStore());
      const people = await Promise.all([0, 1, 2].map(() => clinic.newPatient()));
      const model: Model = { slots: HALVES.map(() => null), now: clinic.clock.now };
      await fc.asyncModelRun(() => ({ model, real: { clinic, people } }), all);
    }),
    { numRuns: RUNS },
  );
}, 600_000);
