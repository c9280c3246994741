import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../../src/audit/append.ts';
import type { UserId } from '../../../src/kernel/ids.ts';
import { privacyRequests } from '../../../src/lifecycle/requests/request.ts';
import type { StartRequest } from '../../../src/lifecycle/requests/requests.ts';
import { NOW, openClinic } from '../../access/people.ts';
import { eventsOf, TENANT } from '../../mcp/house.ts';

const ENTRY: AuditEntry = {
  action: 'C',
  operation: 'requestPrivacyAction',
  outcome: '0',
  actor: { user: 'usr_john', role: 'patient', client: 'c' },
  purposeOfUse: 'PATRQT',
  policy: 'test',
};

async function open() {
  const clinic = await openClinic();
  const { requests, audit } = clinic.services;
  const of = { tenant: TENANT, patient: clinic.john };
  const start = async (asked: Partial<StartRequest> = {}) => {
    const draft = audit.draft(TENANT);
    const started = await requests.start({
      ...{ of, user: 'usr_john' as UserId, kind: 'export', about: null, words: null, now: clinic.time.now },
      audit: {
        draft,
        write: (tx, { alias, written, request }) =>
          draft.write(tx, {
            ...ENTRY,
            patient: alias,
            ...(written === undefined ? {} : { written }),
            entity: { resource: 'Task', id: request.id },
          }),
      },
      ...asked,
    });
    if (started.outcome === 'asked') draft.confirm();
    else draft.abandon();
    return started;
  };
  const events = async () =>
    (await eventsOf(clinic.services)).filter(({ operation }) => operation === 'requestPrivacyAction');
  return { ...clinic, requests, of, start, events };
}

describe('requests in the store', () => {
  test('the same wish twice is one request and one event; another wish is another', async () => {
    const { start, requests, of, events, time } = await open();
    const [first, again] = [await start(), await start()];
    expect([first.outcome, again.outcome]).toEqual(['asked', 'repeated']);
    expect(again.request).toEqual(first.request);
    await start({ kind: 'correction', words: 'My allergy is to penicillin.' });
    await start({ kind: 'correction', words: 'My phone number is wrong.' });
    expect(await requests.list(of, time.now)).toHaveLength(3);
    expect(await events()).toHaveLength(3);
  });

  test('five at once are one', async () => {
    const { start, requests, of, time } = await open();
    const all = await Promise.all(Array.from({ length: 5 }, () => start({ kind: 'erasure' })));
    expect(all.filter(({ outcome }) => outcome === 'asked')).toHaveLength(1);
    expect(await requests.list(of, time.now)).toHaveLength(1);
  });

  test('what a person wrote is sealed in the chart; the row and the event hold none of it', async () => {
    const { start, requests, of, store, events } = await open();
    const words = 'My allergy is to zanzibarine.';
    const { request } = await start({ kind: 'correction', words });
    expect(await requests.words(of, request.id)).toBe(words);
    const rows = await store.tenant(TENANT).list(privacyRequests, { limit: 10 });
    expect(JSON.stringify(rows)).not.toContain('zanzibarine');
    const [event] = await events();
    expect(JSON.stringify(event)).not.toContain('zanzibarine');
    expect(Object.keys(event?.written?.digests ?? {})).toContain(
      `${of.patient}-requests-${request.id}-words`,
    );
  });

  test('ten may be open; an eleventh is refused and changes nothing, until one is over', async () => {
    const { start, requests, of, time } = await open();
    for (let count = 0; count < 10; count += 1)
      await start({ kind: 'correction', words: `Wrong: ${count}.` });
    await expect(start()).rejects.toMatchObject({ code: 'REQUEST_LIMIT' });
    expect(await requests.list(of, time.now)).toHaveLength(10);
    time.now += 7 * 86_400_000;
    expect((await start()).outcome).toBe('asked');
  });

  test('a request about another chart is unknown, like one that does not exist', async () => {
    const { start, requests, of, child } = await open();
    const { request } = await start();
    const unknown = { code: 'REQUEST_UNKNOWN' };
    await expect(requests.find({ ...of, patient: child }, request.id, NOW)).rejects.toMatchObject(unknown);
    await expect(requests.find(of, 'prq_AAAAAAAAAAAAAAAAAAAAAA', NOW)).rejects.toMatchObject(unknown);
    await expect(requests.find(of, '../x', NOW)).rejects.toMatchObject(unknown);
  });

  test('a step and its event are one transaction: without the event nothing changes', async () => {
    const { start, requests, of, store, time, services } = await open();
    const { request } = await start();
    const confirm = () =>
      requests.advance({
        ...{ of, id: request.id, step: { step: 'confirm' }, now: time.now, audit: services.audit },
        entry: ENTRY,
      });
    store.refuseWrites('auditEvents');
    await expect(confirm()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect((await requests.find(of, request.id, time.now)).state).toBe('asked');
    store.refuseWrites(null);
    expect((await confirm()).state).toBe('confirmed');
    await expect(confirm()).rejects.toMatchObject({ code: 'REQUEST_STATE' });
  });
});
