import type { Client } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chosenArgument, envelopeShowsForms } from '../../src/mcp/asking.ts';
import { type Mount, mountMcp, newClient, oldClient } from '../conversations/mount.ts';
import { openPeople, type People } from '../conversations/people.ts';
import type { Spoken } from '../conversations/transcript.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { eventsIn } from './house.ts';

const WISH = { visitType: 'diabetes-checkup', date: '2026-12-01' };
const FORMS = { elicitation: { form: {} } };

interface Form {
  readonly message: string;
  readonly requestedSchema: {
    readonly properties: {
      readonly slotId: { readonly oneOf: readonly { readonly const: string; readonly title: string }[] };
    };
  };
}
interface Reply {
  readonly action: 'accept' | 'decline';
  readonly content?: object;
}
type Person = (form: Form) => Reply | Promise<Reply>;

describe('choices that the client puts to the person', () => {
  let people: People;
  let mount: Mount;
  let asked: Form[];
  beforeEach(async () => {
    people = await openPeople(createMemoryStore());
    mount = await mountMcp(people);
    asked = [];
  });
  afterEach(() => mount.close());

  /** Calls a tool through client 2.x, with somebody who answers forms. */
  const callWith = async (
    person: Person,
    args: Record<string, unknown>,
    { tool = 'scheduleAppointment', capabilities = FORMS as object } = {},
  ): Promise<Spoken> => {
    const prepare = (client: Client) =>
      'elicitation' in capabilities &&
      client.setRequestHandler('elicitation/create', (request) => {
        const form = request.params as unknown as Form;
        asked.push(form);
        return person(form) as never;
      });
    const client = await newClient(mount, 'john', { capabilities, prepare });
    const answer = await client.call(tool, args);
    await client.close();
    return answer;
  };
  const choose =
    (index: number) =>
    ({ requestedSchema }: Form): Reply => {
      const slotId = requestedSchema.properties.slotId.oneOf[index]?.const;
      return { action: 'accept', content: { slotId } };
    };
  const decline: Person = () => ({ action: 'decline' });

  test('are a form with the times in words, and what was chosen is booked', async () => {
    const answer = await callWith(choose(1), WISH);
    expect(asked.map(({ message }) => message)).toEqual(['Nothing is booked yet. Which time suits you?']);
    expect(asked[0]?.requestedSchema.properties.slotId.oneOf.map(({ title }) => title)).toEqual([
      'Tuesday, 2026-12-01 at 09:00 (America/New_York), Dr. Mei Chen',
      'Tuesday, 2026-12-01 at 09:30 (America/New_York), Dr. Mei Chen',
      'Tuesday, 2026-12-01 at 10:00 (America/New_York), Dr. Mei Chen',
      'Tuesday, 2026-12-01 at 10:30 (America/New_York), Dr. Mei Chen',
      'Tuesday, 2026-12-01 at 11:00 (America/New_York), Dr. Mei Chen',
    ]);
    expect(answer.structuredContent).toMatchObject({ outcome: 'booked', appointment: { time: '09:30' } });
  });

  test('leave the events of both calls: what was offered, then what was booked', async () => {
    await callWith(choose(0), WISH);
    const events = (await eventsIn(people.services, people.tenant)).slice(-2);
    expect(events).toMatchObject([
      {
        action: 'R',
        operation: 'scheduleAppointment',
        entity: { fields: expect.arrayContaining(['choices.time']) },
      },
      { action: 'C', operation: 'scheduleAppointment', outcome: '0' },
    ]);
  });

  test('are for the model again when the person declines, and nothing is asked twice', async () => {
    const answer = await callWith(decline, WISH);
    expect(asked).toHaveLength(1);
    expect(answer.structuredContent).toMatchObject({ outcome: 'choose' });
  });

  test('a time that is taken while the person thinks is asked about once more', async () => {
    const rival = await newClient(mount, 'ana');
    const open = await rival.call('findOpenSlots', { visitType: WISH.visitType, from: WISH.date });
    const [first] = (open.structuredContent?.['slots'] ?? []) as { slotId: string }[];
    let taken: Promise<Spoken> | undefined;
    const slow: Person = async (form) => {
      taken ??= rival.call('scheduleAppointment', { slotId: first?.slotId });
      await taken;
      return choose(0)(form);
    };
    const answer = await callWith(slow, WISH);
    await rival.close();
    expect(asked.map(({ message }) => message)).toEqual([
      'Nothing is booked yet. Which time suits you?',
      'That time has just been taken. Not booked; nothing was changed. Which time suits you?',
    ]);
    expect(answer.structuredContent).toMatchObject({ outcome: 'booked', appointment: { time: '09:30' } });
  });

  test('a visit is moved by them too', async () => {
    const booked = await callWith(choose(0), WISH);
    const { appointmentId } = (booked.structuredContent?.['appointment'] ?? {}) as { appointmentId?: string };
    const wish = { appointmentId, partOfDay: 'afternoon' };
    const moved = await callWith(choose(4), wish, { tool: 'rescheduleAppointment' });
    expect(moved.structuredContent).toMatchObject({
      ...{ outcome: 'rescheduled', appointment: { appointmentId, time: '14:00' } },
    });
  });

  test('an answer that was not among them books nothing', async () => {
    const slotId = 'diabetes-checkup~dr-chen~hkx3c~hkx3w~hkwvs~AAAAAAAA~AAAAAAAAAAAAAAAAAAAAAA';
    const answer = await callWith(() => ({ action: 'accept', content: { slotId } }), WISH);
    expect([answer.isError, answer.content[0]?.text]).toEqual([
      true,
      expect.stringMatching(/^Not booked\. Nothing was changed\. That slotId was not offered/),
    ]);
  });

  test('an answer cannot bring any other argument in', async () => {
    const answer = await callWith(
      (form) => ({
        action: 'accept',
        content: { ...choose(0)(form).content, overbook: true, patient: 'pat_x' },
      }),
      WISH,
    );
    expect(answer.structuredContent).toMatchObject({ outcome: 'booked' });
  });

  test.each([
    ['declares no forms', {}],
    ['opens addresses only', { elicitation: { url: {} } }],
    [
      'shows widgets, where the person chooses anyway',
      {
        ...FORMS,
        extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } },
      },
    ],
  ])('stay data for a client that %s', async (_what, capabilities) => {
    const answer = await callWith(choose(0), WISH, { capabilities });
    expect(asked).toEqual([]);
    expect(answer.structuredContent).toMatchObject({ outcome: 'choose' });
  });

  test('stay data in the older revisions', async () => {
    const client = await oldClient(mount, 'john');
    expect((await client.call('scheduleAppointment', WISH)).structuredContent).toMatchObject({
      outcome: 'choose',
    });
    await client.close();
  });
});

test.each([
  [{ elicitation: {} }, true],
  [{ elicitation: { form: {} } }, true],
  [{ elicitation: { url: {} } }, false],
  [{ elicitation: null }, false],
  [{ elicitation: 'form' }, false],
  [{}, false],
])('capabilities %j show forms: %s', (capabilities, shown) => {
  expect(envelopeShowsForms({ 'io.modelcontextprotocol/clientCapabilities': capabilities })).toBe(shown);
});

test.each([
  [undefined, null],
  [{}, {}],
  [{ choice: { action: 'decline' } }, {}],
  [{ choice: { action: 'accept', content: { slotId: 7 } } }, {}],
  [{ choice: { action: 'accept', content: { patient: 'pat_x' } } }, {}],
  [{ other: { action: 'accept', content: { slotId: 's' } } }, {}],
  [{ choice: { action: 'accept', content: { slotId: 's', patient: 'pat_x' } } }, { slotId: 's' }],
])('responses %j choose %j', (responses, chosen) => {
  expect(chosenArgument(responses, 'slotId')).toEqual(chosen);
});
