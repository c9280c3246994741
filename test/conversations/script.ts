import type { Person } from './people.ts';
import { type Spoken, Transcript } from './transcript.ts';

/** Calls a tool as one person's assistant does, over whatever lies between. */
export type Call = (name: string, args: Record<string, unknown>) => Promise<Spoken>;

/** One conversation: who speaks, and what their assistant does about it. */
export interface Conversation {
  readonly title: string;
  readonly who: Person;
  readonly run: (says: (words: string) => void, call: Call) => Promise<void>;
}

interface Slot {
  readonly slotId: string;
  readonly date: string;
  readonly time: string;
}
const outputOf = (answer: Spoken): Record<string, unknown> => answer.structuredContent ?? {};
const listOf = <T>(answer: Spoken, field: string): T[] => (outputOf(answer)[field] ?? []) as T[];
const handleOf = (answer: Spoken, field: string): string => {
  const [first] = listOf<{ patient: string }>(answer, field);
  return first?.patient ?? '';
};

/** The six conversations that the tools are made for, in the order in which they happen. */
export const CONVERSATIONS: readonly Conversation[] = [
  {
    title: 'schedule',
    who: 'john',
    run: async (says, call) => {
      says('Schedule my diabetes checkup for next Tuesday.');
      await call('whoAmI', {});
      await call('listVisitTypes', {});
      const asked = { visitType: 'diabetes-checkup', from: '2026-11-24', orOn: '2026-12-01' };
      const found = await call('findOpenSlots', asked);
      says('The first of December, at half past nine.');
      const slot = listOf<Slot>(found, 'slots').find(
        ({ date, time }) => date === '2026-12-01' && time === '09:30',
      );
      await call('scheduleAppointment', { slotId: slot?.slotId, reason: 'My readings were high this week' });
    },
  },
  {
    title: 'move',
    who: 'john',
    run: async (says, call) => {
      says('Move it to the afternoon.');
      const listed = await call('listAppointments', {});
      const [visit] = listOf<{ appointmentId: string }>(listed, 'appointments');
      const about = { appointmentId: visit?.appointmentId };
      const offered = await call('rescheduleAppointment', { ...about, partOfDay: 'afternoon' });
      says('Two o’clock is fine.');
      const slot = listOf<Slot>(offered, 'choices').find(({ time }) => time === '14:00');
      await call('rescheduleAppointment', { ...about, slotId: slot?.slotId });
    },
  },
  {
    title: 'medication',
    who: 'john',
    run: async (says, call) => {
      says('What medication am I on?');
      await call('listMedications', {});
    },
  },
  {
    title: 'front-desk',
    who: 'frontdesk',
    run: async (says, call) => {
      says('Who is free tomorrow morning for Mrs. Ruiz?');
      await call('whoAmI', {});
      await call('findPatient', { familyName: 'Ruiz' });
      says('Ana Ruiz, born on the thirtieth of September 1949.');
      const who = await call('findPatient', {
        ...{ familyName: 'Ruiz', givenName: 'Ana Lucía', birthDate: '1949-09-30' },
      });
      const patient = handleOf(who, 'patients');
      const asked = { visitType: 'diabetes-checkup', from: '2026-11-24', partOfDay: 'morning', patient };
      await call('findOpenSlots', asked);
    },
  },
  {
    title: 'clinician',
    who: 'clinician',
    run: async (says, call) => {
      says('Summarise the chart before my 14:00 on Tuesday.');
      const patient = handleOf(await call('whoAmI', {}), 'charts');
      const listed = await call('listAppointments', { patient });
      const [visit] = listOf<{ appointmentId: string }>(listed, 'appointments');
      await call('getChartSummary', { patient, appointmentId: visit?.appointmentId });
    },
  },
  {
    title: 'privacy',
    who: 'john',
    run: async (says, call) => {
      says('Send me everything you have on me and then delete it.');
      await call('requestPrivacyAction', { kind: 'export' });
      const started = outputOf(await call('requestPrivacyAction', { kind: 'erasure' }));
      says('Is it deleted?');
      const { requestId } = started['request'] as { requestId: string };
      await call('getRequestStatus', { requestId });
    },
  },
];

/** Runs a conversation and takes it down. */
export async function record(conversation: Conversation, call: Call): Promise<Transcript> {
  const transcript = new Transcript();
  const says = (words: string) => transcript.says(conversation.who, words);
  await conversation.run(says, async (name, args) => {
    const answer = await call(name, args);
    transcript.calls(name, args, answer);
    return answer;
  });
  return transcript;
}

/** Where a conversation's words are kept. */
export const pinOf = ({ title }: Conversation): string => `../pins/conversations/${title}.txt`;
