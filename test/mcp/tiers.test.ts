import type { CallToolResult } from '@modelcontextprotocol/server';
import { beforeEach, describe, expect, test } from 'vitest';
import { callTool } from '../../src/mcp/call-tool.ts';
import { TOOLS } from '../../src/mcp/catalog.ts';
import { fieldNames } from '../../src/mcp/tool.ts';
import { codeOf, NOW, openClinic, outputOf } from '../access/people.ts';
import { eventsOf } from './house.ts';

type Clinic = Awaited<ReturnType<typeof openClinic>>;
const DAY = 86_400_000;
const REASON = 'thirsty all the time';
const JOHN = { familyName: 'Doe', givenName: 'John', birthDate: '1968-04-12' };
/** What stays on our own pages: John's SSN, record number and mother's maiden name. */
const NEVER = /999-?45-?6120|RV-4471902|Tremblay/;
const widgetOf = ({ _meta }: CallToolResult) => _meta?.['chartseal/widget'];

describe('the three tiers of an answer', () => {
  let clinic: Clinic;
  beforeEach(async () => {
    clinic = await openClinic();
    await clinic.relate('usr_clinician', clinic.john, 'care-team', NOW + 30 * DAY);
    await clinic.relate('usr_proxy', clinic.john, 'proxy', NOW + 30 * DAY);
  });
  const call = (user: string, name: string, args: object, showsWidgets: boolean) => {
    const tool = TOOLS.find((one) => one.name === name);
    if (tool === undefined) throw new Error('no such tool');
    const { services } = clinic;
    return callTool(tool, args, { principal: clinic.principal(user), services, showsWidgets });
  };
  const tiersOf = (answer: CallToolResult) => {
    expect(JSON.stringify(answer)).not.toMatch(NEVER);
    if (answer.isError === true) return { refused: codeOf(answer) };
    return { model: fieldNames(outputOf(answer)), widget: fieldNames(widgetOf(answer)) };
  };

  /** Each role does the same, in an order in which each call has what it needs. */
  async function allAnswers(user: string, showsWidgets: boolean) {
    const patient = user === 'usr_john' ? {} : { patient: clinic.john };
    const answers: Record<string, CallToolResult> = {};
    const ask = async (label: string, name: string, args: object) => {
      const answer = await call(user, name, args, showsWidgets);
      answers[label] = answer;
      return outputOf(answer);
    };
    const slotsOn = async (date: string) =>
      (
        await ask('findOpenSlots', 'findOpenSlots', { visitType: 'diabetes-checkup', from: date, ...patient })
      )['slots'] as { slotId: string }[] | undefined;
    await ask('whoAmI', 'whoAmI', {});
    await ask('findPatient', 'findPatient', JOHN);
    await ask('getPatient', 'getPatient', { sections: ['demographics', 'contact'], ...patient });
    await ask('getPatient clinical', 'getPatient', { sections: ['conditions', 'allergies'], ...patient });
    await ask('listMedications', 'listMedications', patient);
    await ask('listVisitTypes', 'listVisitTypes', {});
    const [slot] = (await slotsOn('2026-12-01')) ?? [];
    await ask('schedule: choose', 'scheduleAppointment', { visitType: 'diabetes-checkup', ...patient });
    const booked = await ask('schedule: booked', 'scheduleAppointment', {
      slotId: slot?.slotId ?? 'none',
      reason: REASON,
      ...patient,
    });
    const { appointmentId = 'none' } = (booked['appointment'] ?? {}) as { appointmentId?: string };
    const about = { appointmentId, ...patient };
    await ask('getChartSummary', 'getChartSummary', { ...about, patient: clinic.john });
    await ask('listAppointments', 'listAppointments', patient);
    const [next] = (await slotsOn('2026-12-02')) ?? [];
    await ask('reschedule: choose', 'rescheduleAppointment', about);
    await ask('reschedule: moved', 'rescheduleAppointment', { ...about, slotId: next?.slotId ?? 'none' });
    const preview = await ask('cancel: preview', 'cancelAppointment', about);
    await ask('cancel: cancelled', 'cancelAppointment', { ...about, confirm: preview['confirm'] ?? 'none' });
    await slotsOn('2026-12-03');
    await ask('joinWaitlist', 'joinWaitlist', { visitType: 'vaccination', from: '2026-12-07', ...patient });
    const [last] = (outputOf(answers['findOpenSlots'] as CallToolResult)['slots'] ?? []) as {
      slotId: string;
    }[];
    const again = await ask('schedule: booked again', 'scheduleAppointment', {
      slotId: last?.slotId ?? 'none',
      ...patient,
    });
    const { appointmentId: second = 'none' } = (again['appointment'] ?? {}) as { appointmentId?: string };
    await ask('listChartAccess', 'listChartAccess', patient);
    await ask('requestPrivacyAction: export', 'requestPrivacyAction', { kind: 'export', ...patient });
    const words = 'My allergy is to something else.';
    await ask('requestPrivacyAction: correction', 'requestPrivacyAction', {
      ...{ kind: 'correction', words, ...patient },
    });
    await ask('getRequestStatus', 'getRequestStatus', patient);
    await ask('setAppointmentStatus', 'setAppointmentStatus', {
      ...{ appointmentId: second, status: 'arrived', patient: clinic.john },
    });
    return answers;
  }

  test.each(['usr_john', 'usr_proxy', 'usr_clinician', 'usr_frontdesk'])(
    'are exactly these fields for %s',
    async (user) => {
      const answers = await allAnswers(user, true);
      const tiers = Object.fromEntries(Object.entries(answers).map(([label, one]) => [label, tiersOf(one)]));
      expect(tiers).toMatchSnapshot();
    },
  );

  test.each(['usr_john', 'usr_proxy', 'usr_clinician', 'usr_frontdesk'])(
    'a client of %s that did not declare MCP Apps gets the same for the model and nothing beside it',
    async (user) => {
      const without = await allAnswers(user, false);
      clinic = await openClinic();
      await clinic.relate('usr_clinician', clinic.john, 'care-team', NOW + 30 * DAY);
      await clinic.relate('usr_proxy', clinic.john, 'proxy', NOW + 30 * DAY);
      const shown = await allAnswers(user, true);
      for (const [label, answer] of Object.entries(without)) {
        expect(widgetOf(answer), label).toBeUndefined();
        const { widget: _, ...rest } = tiersOf(shown[label] as CallToolResult) as { widget?: unknown };
        const { widget: __, ...same } = tiersOf(answer) as { widget?: unknown };
        expect(same, label).toEqual(rest);
      }
    },
  );

  test('the event names what the widget was given, field for field, for reads and for writes', async () => {
    for (const user of ['usr_john', 'usr_frontdesk']) {
      const before = (await eventsOf(clinic.services)).length;
      const answers = await allAnswers(user, true);
      const events = (await eventsOf(clinic.services)).slice(before);
      for (const [label, answer] of Object.entries(answers)) {
        if (answer.isError === true || label === 'findPatient') continue;
        const released = [
          ...fieldNames(outputOf(answer)),
          ...fieldNames({ widget: widgetOf(answer) }),
        ].filter((name) => name !== 'undoSlotId');
        const named = events.map(({ entity }) => entity?.fields?.join());
        expect(named, `${user} ${label}`).toContain(released.join());
      }
    }
  });

  test('without MCP Apps no event names a widget field', async () => {
    await allAnswers('usr_john', false);
    expect(JSON.stringify(await eventsOf(clinic.services))).not.toContain('widget.');
  });

  test('the reason of a visit is shown to the person themselves and never reaches the model', async () => {
    const own = await allAnswers('usr_john', true);
    expect(JSON.stringify(widgetOf(own['listAppointments'] as CallToolResult))).toContain(REASON);
    for (const { structuredContent, content } of Object.values(own))
      expect(JSON.stringify([structuredContent, content])).not.toContain(REASON);
    for (const user of ['usr_proxy', 'usr_frontdesk']) {
      const theirs = await call(user, 'listAppointments', { when: 'past', patient: clinic.john }, true);
      expect(JSON.stringify(theirs)).not.toContain(REASON);
    }
  });

  test('at the desk the widget tells two people apart, and the model is given none of it', async () => {
    const found = await call('usr_frontdesk', 'findPatient', JOHN, true);
    expect(widgetOf(found)).toEqual({
      patients: [
        {
          patient: clinic.john,
          gender: 'male',
          phoneEnding: expect.stringMatching(/^\d{4}$/),
          city: expect.any(String),
        },
      ],
    });
    expect(Object.keys((outputOf(found)['patients'] as object[])[0] ?? {})).toEqual([
      'patient',
      'name',
      'birthDate',
    ]);
  });
});
