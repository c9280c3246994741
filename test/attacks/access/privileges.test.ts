import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHART_TOOLS, expectRefused, type House, openHouse } from './house.ts';

/** Tools for staff alone, and those that a front desk may not use. */
const CLINICAL = ['getPatient', 'listMedications', 'getChartSummary'];

describe('privileges', () => {
  let at: House;
  beforeAll(async () => {
    at = await openHouse();
    await at.relate('usr_proxy', at.child, 'proxy');
    await at.relate('usr_clinician', at.child, 'care-team');
    // Relationships that do not suit the role open nothing.
    await at.relate('usr_john', at.child, 'care-team');
    for (const user of ['usr_auditor', 'usr_admin', 'usr_frontdesk'])
      await at.relate(user, at.john, 'care-team');
    await at.relate('usr_frontdesk', at.child, 'proxy');
  });
  afterAll(() => at.close());
  const attack = (user: string, tool: string, patient: string, more?: { claims: object }) =>
    at.watch(() => at.call(user, tool, CHART_TOOLS[tool]?.(patient) ?? {}, more));

  test.each(Object.keys(CHART_TOOLS))(
    'horizontal: %s opens no chart of another person of the clinic',
    async (tool) => {
      expectRefused(await attack('usr_john', tool, at.child));
      expectRefused(await attack('usr_proxy', tool, at.john));
      expectRefused(await attack('usr_clinician', tool, at.john));
    },
  );

  test.each(Object.keys(CHART_TOOLS))(
    'vertical: %s opens no chart to an auditor or an admin, whatever was planted',
    async (tool) => {
      for (const user of ['usr_auditor', 'usr_admin']) expectRefused(await attack(user, tool, at.john));
    },
  );

  test.each(CLINICAL)(
    'vertical: %s gives the front desk no clinical line, whatever was planted',
    async (tool) => {
      expectRefused(await attack('usr_frontdesk', tool, at.john));
      expectRefused(await attack('usr_frontdesk', tool, at.child));
    },
  );

  test.each(['getChartSummary', 'setAppointmentStatus'])(
    'vertical: %s is for staff, of the own chart too',
    async (tool) => {
      expectRefused(await attack('usr_john', tool, at.john));
      expectRefused(await attack('usr_proxy', tool, at.child));
    },
  );

  test('vertical: patients search for nobody', async () => {
    const asked = { familyName: 'Doe', givenName: 'John', birthDate: '1968-04-12' };
    for (const user of ['usr_john', 'usr_proxy', 'usr_auditor', 'usr_admin'])
      expectRefused(await at.watch(() => at.call(user, 'findPatient', asked)));
  });

  test.each([
    'system/*.*',
    'patient/*.*',
    'user/*.cruds',
    'admin',
    'PATIENT/PATIENT.RS',
    'patient/Patient.rs,patient/*.rs',
  ])('a scope that nobody defined opens nothing: %s', async (scope) => {
    const { answer, written } = await attack('usr_john', 'getPatient', at.john, { claims: { scope } });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
    expect(answer.json.result).not.toHaveProperty('structuredContent');
    expect(written).toEqual(['auditEvents', 'auditPending']);
  });

  test('scopes of the other kind of people open nothing', async () => {
    const staff = { claims: { scope: 'user/Patient.rs user/*.rs user/Appointment.crus' } };
    const own = { claims: { scope: 'patient/Patient.rs patient/*.rs patient/Appointment.crus' } };
    for (const [user, patient, more] of [
      ['usr_john', at.john, staff],
      ['usr_clinician', at.child, own],
    ] as const) {
      const { answer, written } = await attack(user, 'getPatient', patient, more);
      expect([answer.status, answer.json.result?.isError]).toEqual([403, true]);
      expect(written).toEqual(['auditEvents', 'auditPending']);
    }
  });

  test('a role that this version does not know may do nothing, not even see the clinic', async () => {
    for (const role of ['superuser', 'Admin', 'patient ', '']) {
      await at.join('usr_odd', role as never, at.john);
      expectRefused(await at.watch(() => at.call('usr_odd', 'whoAmI', {})));
      expectRefused(await attack('usr_odd', 'getPatient', at.john));
    }
  });
});
