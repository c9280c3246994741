import { beforeEach, describe, expect, test } from 'vitest';
import { privacyRequests } from '../../src/lifecycle/requests/request.ts';
import { codeOf, openClinic, outputOf } from '../access/people.ts';
import { eventsOf, TENANT } from './house.ts';

type Clinic = Awaited<ReturnType<typeof openClinic>>;
interface Shown {
  readonly requestId: string;
  readonly state: string;
}
const DAY = 86_400_000;
const WORDS = 'My allergy is to zanzibarine, not to penicillin.';

describe('tools about privacy requests', () => {
  let clinic: Clinic;
  beforeEach(async () => {
    clinic = await openClinic();
  });
  const john = (name: string, args: object = {}) => clinic.call('usr_john', name, args);
  const start = (args: object) => john('requestPrivacyAction', args);
  const requestOf = (answer: Awaited<ReturnType<typeof start>>) => outputOf(answer)['request'] as Shown;
  const rows = () => clinic.store.tenant(TENANT).list(privacyRequests, { limit: 100 });
  const lastEvent = async () => (await eventsOf(clinic.services)).at(-1);

  test('an export and an erasure are started, and neither is done: the chart is read as before', async () => {
    for (const kind of ['export', 'erasure']) {
      const answer = await start({ kind });
      expect(outputOf(answer)).toEqual({
        outcome: 'started',
        request: {
          requestId: expect.stringMatching(/^prq_/),
          ...{ kind, state: 'asked', asked: '2026-11-24', until: '2026-12-01' },
          next: 'Not confirmed yet. Sign in on the page and confirm it.',
        },
        page: 'https://clinic.example/privacy',
      });
      expect(JSON.stringify(answer.content)).toContain('nothing was sent, deleted or changed');
    }
    expect((await rows()).map(({ row }) => row.state)).toEqual(['asked', 'asked']);
    expect(codeOf(await john('getPatient', { sections: ['conditions'] }))).toBe('released');
  });

  test('the request and its event are one transaction, and the event names what was released', async () => {
    const { requestId } = requestOf(await start({ kind: 'export' }));
    expect(await lastEvent()).toMatchObject({
      ...{ action: 'C', operation: 'requestPrivacyAction', outcome: '0', policy: 'patient-own-chart' },
      entity: {
        resource: 'Task',
        id: requestId,
        fields: expect.arrayContaining(['request.state', 'request.next', 'page']),
      },
    });
    clinic.store.refuseWrites('auditEvents');
    const refused = await start({ kind: 'erasure' });
    expect([refused.isError, JSON.stringify(refused.content)]).toEqual([
      true,
      expect.stringContaining('Not started. Nothing was changed.'),
    ]);
    clinic.store.refuseWrites(null);
    expect(await rows()).toHaveLength(1);
  });

  test('the same again is the same request, read and not written', async () => {
    const first = requestOf(await start({ kind: 'erasure' }));
    const again = await start({ kind: 'erasure' });
    expect(outputOf(again)).toMatchObject({ outcome: 'alreadyOpen', request: first });
    expect(await lastEvent()).toMatchObject({ action: 'R', outcome: '0' });
    expect(await rows()).toHaveLength(1);
  });

  test('what is wrong is sealed in the chart: no answer, row or event repeats it', async () => {
    const answer = await start({ kind: 'correction', words: WORDS });
    const { requestId } = requestOf(answer);
    const status = await john('getRequestStatus', { requestId });
    const everything = [answer, status, await rows(), await eventsOf(clinic.services)];
    expect(JSON.stringify(everything)).not.toContain('zanzibarine');
    const of = { tenant: TENANT, patient: clinic.john };
    expect(await clinic.services.requests.words(of, requestId)).toBe(WORDS);
    expect((await lastEvent())?.operation).toBe('getRequestStatus');
  });

  test.each([
    ['a correction without words', { kind: 'correction' }, 'REQUEST_INPUT'],
    ['an export with words', { kind: 'export', words: WORDS }, 'REQUEST_INPUT'],
    ['a consent change that names none', { kind: 'consent' }, 'REQUEST_INPUT'],
    ['an erasure that names a consent', { kind: 'erasure', about: 'proxy.withdrawn' }, 'REQUEST_INPUT'],
    ['a consent that there is not', { kind: 'consent', about: 'sensitive.refused' }, 'INPUT'],
    ['a kind that there is not', { kind: 'downloadNow' }, 'INPUT'],
    ['a confirmation in the same breath', { kind: 'erasure', confirm: true }, 'INPUT'],
  ])('%s is refused and starts nothing', async (_what, args, code) => {
    expect(codeOf(await start(args))).toBe(code);
    expect(await rows()).toEqual([]);
  });

  test('the newest are listed with what comes next, also after a week in which nobody confirmed', async () => {
    await start({ kind: 'export' });
    clinic.time.now += 1_000;
    await start({ kind: 'consent', about: 'sensitive.withdrawn' });
    const listed = async () => outputOf(await john('getRequestStatus'))['requests'] as Shown[];
    expect(await listed()).toMatchObject([
      { kind: 'consent', about: 'sensitive.withdrawn', state: 'asked' },
      { kind: 'export', state: 'asked' },
    ]);
    clinic.time.now += 8 * DAY;
    expect((await listed()).map(({ state }) => state)).toEqual(['expired', 'expired']);
  });

  test('five are shown, and how many more there are', async () => {
    for (let count = 0; count < 7; count += 1) await start({ kind: 'correction', words: `Wrong: ${count}.` });
    const output = outputOf(await john('getRequestStatus'));
    expect([(output['requests'] as Shown[]).length, output['more']]).toEqual([5, 2]);
  });

  test('who acts for somebody asks for them, and another chart’s request is as unknown as none', async () => {
    await clinic.relate('usr_proxy', clinic.child, 'proxy', clinic.time.now + DAY);
    const proxy = (name: string, args: object) =>
      clinic.call('usr_proxy', name, { patient: clinic.child, ...args });
    const started = await proxy('requestPrivacyAction', { kind: 'export' });
    expect(await lastEvent()).toMatchObject({ policy: 'proxy-acts-for', purposeOfUse: 'FAMRQT' });
    const foreign = await john('getRequestStatus', { requestId: requestOf(started).requestId });
    const unknown = await john('getRequestStatus', { requestId: 'prq_AAAAAAAAAAAAAAAAAAAAAA' });
    expect(codeOf(foreign)).toBe('REQUEST_UNKNOWN');
    expect(foreign).toEqual(unknown);
    expect(outputOf(await john('getRequestStatus'))['requests']).toEqual([]);
  });

  test.each(['usr_clinician', 'usr_frontdesk', 'usr_auditor', 'usr_admin'])(
    'is closed to %s, in the words that everybody hears',
    async (user) => {
      await clinic.relate(user, clinic.john, 'care-team', clinic.time.now + DAY);
      for (const [name, args] of [
        ['requestPrivacyAction', { kind: 'export' }],
        ['getRequestStatus', {}],
      ] as const)
        expect(codeOf(await clinic.call(user, name, { patient: clinic.john, ...args }))).toBe('NOT_FOUND');
      expect(await rows()).toEqual([]);
    },
  );
});
