import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { at, openClinic } from './house.ts';

/**
 * Any order of bookings, moves, cancellations, sweeps and passing time by three patients, side by side. Whatever
 * happens: no two visits overlap at the one doctor, and every booked visit holds exactly its time.
 */
type Act =
  | { readonly kind: 'book' | 'move'; readonly who: number; readonly half: number }
  | { readonly kind: 'cancel'; readonly who: number }
  | { readonly kind: 'sweep' }
  | { readonly kind: 'wait'; readonly seconds: number };

/** The long form: `CHARTSEAL_MODEL_RUNS=5000`. */
const RUNS = Number(process.env['CHARTSEAL_MODEL_RUNS'] ?? 60);
const who = fc.integer({ min: 0, max: 2 });
const half = fc.integer({ min: 0, max: 5 });
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constant('book' as const), who, half }),
  fc.record({ kind: fc.constant('move' as const), who, half }),
  fc.record({ kind: fc.constant('cancel' as const), who }),
  fc.record({ kind: fc.constant('sweep' as const) }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 90 }) }),
);

test('no two visits overlap and none is lost, in any order of acts, also side by side', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(act, { minLength: 1, maxLength: 4 }), { maxLength: 12 }),
      async (rounds) => {
        const clinic = await openClinic(createMemoryStore());
        const people = await Promise.all([0, 1, 2].map(() => clinic.newPatient()));
        for (const round of rounds) {
          await Promise.all(round.map((step) => perform(clinic, people, step)));
          await expectSound(clinic, people);
        }
      },
    ),
    { numRuns: RUNS },
  );
}, 600_000);

type Clinic = Awaited<ReturnType<typeof openClinic>>;
type People = readonly Awaited<ReturnType<Clinic['newPatient']>>[];
const DAY = '2026-12-03';
const startOf = (index: number): string =>
  `${DAY}T${9 + Math.floor(index / 2)}`.replace('T9', 'T09') + (index % 2 ? ':30' : ':00');

async function perform(clinic: Clinic, people: People, step: Act): Promise<void> {
  if (step.kind === 'wait') {
    clinic.clock.now += step.seconds * 1_000;
    return;
  }
  if (step.kind === 'sweep') {
    await clinic.sweep();
    return;
  }
  const of = people[step.who];
  if (of === undefined) throw new Error('no such person');
  if (step.kind === 'book') {
    await clinic.book(of, clinic.slot(startOf(step.half)));
    return;
  }
  const booked = (await clinic.visits(of)).find(({ appointment }) => appointment.status === 'booked');
  if (booked === undefined) return;
  const { id: appointmentId, appointment } = booked;
  const done =
    step.kind === 'move'
      ? clinic.move(of, appointmentId, clinic.slot(startOf(step.half)))
      : clinic.bookings.cancel({
          ...clinic.asked(of),
          ...{ appointmentId, appointment, reason: null },
          confirm: `${appointmentId}/${appointment.changedAt}`,
        });
  // Two acts on one visit side by side: the later one may find it cancelled, or asked for before.
  await done.catch((error: { code?: string }) => {
    if (error.code !== 'APPOINTMENT_STATE' && error.code !== 'REQUEST_CONFLICT') throw error;
  });
}

async function expectSound(clinic: Clinic, people: People): Promise<void> {
  const visits = (await Promise.all(people.map((of) => clinic.visits(of)))).flat();
  const booked = visits.map(({ appointment }) => appointment).filter(({ status }) => status === 'booked');
  const sorted = booked.sort((a, b) => a.start - b.start);
  for (const [index, one] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next !== undefined) expect(next.start).toBeGreaterThanOrEqual(one.end);
  }
  const claims = await clinic.store
    .tenant(clinic.tenant)
    .busy(['dr'], { from: at(`${DAY}T00:00`), to: at('2026-12-04T00:00') });
  const held = claims.filter(({ booking }) => !booking.startsWith('hold_'));
  const claimed = held.map(({ booking, from, to }) => ({ booking, from, to }));
  const expected = sorted.map(({ booking, start, end }) => ({ booking, from: start, to: end }));
  expect(claimed.sort((a, b) => a.from - b.from)).toEqual(expected);
}
