import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { putRelationship } from '../../../src/access/relationships.ts';
import type { UserId } from '../../../src/kernel/ids.ts';
import { NOW } from '../../access/people.ts';
import { CHART_TOOLS, chartToolNames, expectRefused, type House, LAKESIDE, openHouse } from './house.ts';

describe('ids of another clinic', () => {
  let at: House;
  beforeAll(async () => {
    at = await openHouse();
    await at.relate('usr_clinician', at.john, 'care-team');
    await at.relate('usr_proxy', at.child, 'proxy');
  });
  afterAll(() => at.close());

  test('every tool that takes a patient is attacked here', () => {
    expect(Object.keys(CHART_TOOLS)).toEqual(chartToolNames());
  });

  test.each(Object.keys(CHART_TOOLS))(
    '%s refuses them to everybody, in the words of a handle that does not exist',
    async (tool) => {
      const args = CHART_TOOLS[tool];
      if (args === undefined) throw new Error('no arguments');
      for (const user of [
        'lak_mary',
        'lak_proxy',
        'lak_clinician',
        'lak_frontdesk',
        'lak_auditor',
        'lak_admin',
      ]) {
        const foreign = await at.watch(() => at.call(user, tool, args(at.john)));
        const unknown = await at.watch(() => at.call(user, tool, args('pat_doesnotexist0000000000')));
        if (user === 'lak_frontdesk') {
          // It may ask for any chart of its clinic, so it is told what is missing: the same for both.
          expect(foreign.answer.json.result?._meta).toEqual(unknown.answer.json.result?._meta);
          expect(JSON.stringify(foreign.answer.json)).not.toMatch(/Doe|1968/);
          continue;
        }
        expectRefused(foreign);
        expect(foreign.answer.json).toEqual(unknown.answer.json);
      }
      for (const user of ['usr_john', 'usr_proxy', 'usr_clinician'])
        expectRefused(await at.watch(() => at.call(user, tool, args(at.mary))));
    },
  );

  test('a front desk, which needs no relationship, finds no chart of another clinic in its own', async () => {
    const foreign = await at.watch(() =>
      at.call('lak_frontdesk', 'getPatient', { sections: ['demographics'], patient: at.john }),
    );
    expect(foreign.answer.json.result?._meta).toEqual({
      'chartseal/error': { code: 'NOT_FOUND', retryable: false },
    });
    expect(JSON.stringify(foreign.answer.json)).not.toContain('Doe');
    const unknown = await at.call('lak_frontdesk', 'getPatient', {
      sections: ['demographics'],
      patient: 'pat_doesnotexist0000000000',
    });
    expect(foreign.answer.json).toEqual(unknown.json);
  });

  test('a token that names another clinic than its person’s is nobody there', async () => {
    for (const user of ['usr_john', 'usr_clinician', 'usr_frontdesk'])
      expectRefused(
        await at.watch(() =>
          at.call(
            user,
            'getPatient',
            { sections: ['demographics'], patient: at.mary },
            { claims: { tenant: LAKESIDE } },
          ),
        ),
      );
  });

  test('a relationship planted in the wrong clinic leads to no chart', async () => {
    const user = 'lak_clinician' as UserId;
    await at.store
      .tenant(LAKESIDE)
      .transact(async (tx) =>
        putRelationship(tx, { user, patient: at.john, kind: 'care-team', expiresAt: NOW + 60_000 }),
      );
    const planted = await at.watch(() =>
      at.call('lak_clinician', 'getPatient', { sections: ['demographics'], patient: at.john }),
    );
    expect(planted.answer.json.result?._meta).toEqual({
      'chartseal/error': { code: 'NOT_FOUND', retryable: false },
    });
    expect(JSON.stringify(planted.answer.json)).not.toContain('Doe');
  });

  test('a tenant that is none, or the registry’s own, is nobody', async () => {
    for (const tenant of ['system', 'nowhere', 'RIVERSIDE'])
      expectRefused(
        await at.watch(() =>
          at.call(
            'usr_john',
            'getPatient',
            { sections: ['demographics'], patient: at.john },
            { claims: { tenant } },
          ),
        ),
      );
  });
});
