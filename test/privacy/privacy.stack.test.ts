import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { consentRef } from '../../src/access/consents.ts';
import { patientKeyVersions } from '../../src/crypto/patient-keys.ts';
import type { VisitedPage } from '../../src/dev/user-agent/browser.ts';
import { ref } from '../../src/kernel/collection.ts';
import { REQUEST_LIMITS } from '../../src/lifecycle/requests/rules.ts';
import { codeOf } from '../access/people.ts';
import { eventsOf, TENANT } from '../mcp/house.ts';
import { headingOf, problemOf, startPrivacy } from './server.ts';

describe('the privacy pages', () => {
  let at: Awaited<ReturnType<typeof startPrivacy>>;
  beforeEach(async () => {
    at = await startPrivacy();
    await at.relate('usr_proxy', at.child, 'proxy');
    return () => at.close();
  });
  afterEach(() => expect(at.faults).toEqual([]));
  const of = () => ({ tenant: TENANT, patient: at.john });
  const path = (act = '') => `/privacy/chart/${at.john}${act}`;
  const requests = () => at.services.requests.list(of(), at.time.now);
  const operations = async () => (await eventsOf(at.services)).map(({ operation }) => operation);
  const asJohn = async () => {
    const john = at.visitor();
    return { ...john, home: await john.signIn('usr_john') };
  };
  const askErasure = async () => {
    const john = await asJohn();
    const page = await john.submit(john.home, path('/start'), { kind: 'erasure' });
    const [request] = await requests();
    return { john, page, id: request?.id ?? '' };
  };
  const confirmErasure = async () => {
    const { john, page, id } = await askErasure();
    await john.submit(page, path('/confirm'), { id, typed: 'ERASE' });
    return { john, id };
  };
  const review = async (admin: string, id: string, fields: Record<string, string>): Promise<VisitedPage> => {
    const visitor = at.visitor();
    await visitor.signIn(admin);
    return visitor.submit(await visitor.open(`/privacy/review/${id}`), `/privacy/review/${id}`, fields);
  };

  test('show nothing before a sign-in, and let in patients, who acts for them, and administrators', async () => {
    const nobody = at.visitor();
    for (const address of ['/privacy', path(), '/privacy/review'])
      expect((await nobody.open(address)).html).toContain('id="sign-in"');
    for (const user of ['usr_clinician', 'usr_frontdesk', 'usr_auditor', 'usr_stranger'])
      expect((await at.visitor().signIn(user)).status).toBe(403);
    expect(headingOf(await at.visitor().signIn('usr_admin'))).toBe('Requests about patients’ data');
  });

  test('a patient sees the own data, and says plainly what is not ours to delete', async () => {
    const { home } = await asJohn();
    expect(headingOf(home)).toBe('Your data');
    expect(home.html).toContain('Your conversation with ChatGPT is not ours to delete');
    expect(await operations()).toContain('readPrivacyPage');
    expect(home.headers.get('cache-control')).toContain('no-store');
    expect(home.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test('who acts for a child sees whose data it is, and no other chart', async () => {
    const proxy = at.visitor();
    expect(headingOf(await proxy.signIn('usr_proxy'))).toBe('The data of Leo Park');
    expect((await proxy.open(path())).status).toBe(404);
    expect((await proxy.open('/privacy/chart/pat_AAAAAAAAAAAAAAAAAAAAAA')).status).toBe(404);
    await at.say(at.child, 'proxy', 'withdrawn');
    expect((await proxy.open()).html).not.toContain('Leo');
  });

  test('who acts for several chooses by name, and each name is an event of that chart', async () => {
    await at.relate('usr_proxy', at.john, 'proxy');
    const home = await at.visitor().signIn('usr_proxy');
    expect(headingOf(home)).toBe('Your data');
    for (const name of ['Leo Park', 'John Quincy Doe']) expect(home.html).toContain(`>${name}</a>`);
    const looks = (await eventsOf(at.services)).filter(({ operation }) => operation === 'readPrivacyPage');
    expect(new Set(looks.map(({ patient }) => patient)).size).toBe(2);
  });

  test('a copy is made by the job, downloaded with its event, and is over after a week', async () => {
    const john = await asJohn();
    await john.submit(john.home, path('/start'), { kind: 'export' });
    expect(await requests()).toMatchObject([{ kind: 'export', state: 'confirmed' }]);
    await at.round();
    const [ready] = await requests();
    const id = ready?.id ?? '';
    const page = await john.open(path());
    const events = (await operations()).length;
    const file = await john.submit(page, path('/download'), { id, file: 'fhir' });
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="record.fhir.json"');
    expect(JSON.parse(file.html)).toMatchObject({ resourceType: 'Bundle' });
    expect(file.html).toContain('Doe');
    expect((await operations()).slice(events)).toContain('downloadExport');
    at.time.now += REQUEST_LIMITS.readyMs;
    expect((await john.submit(page, path('/download'), { id, file: 'fhir' })).status).toBe(410);
    await at.round();
    expect(await requests()).toMatchObject([{ state: 'expired' }]);
    expect(JSON.stringify([...(at.store.rows.get(TENANT)?.keys() ?? [])])).not.toContain('exportChunks');
  });

  test('the documents go with a copy as one file, with its event, for as long as the copy is kept', async () => {
    const of = { tenant: TENANT, patient: at.john };
    const bytes = (async function* () {
      yield Buffer.from('a letter');
    })();
    const entry = () => ({
      ...({ action: 'C', operation: 'test', outcome: '0', purposeOfUse: 'PATRQT', policy: 'test' } as const),
      actor: { user: 'usr', role: 'patient', client: 'c' },
    });
    await at.documents.add(of, { title: 'T', kind: 'letter', addedBy: 'patient', bytes }, entry);
    const john = await asJohn();
    await john.submit(john.home, path('/start'), { kind: 'export' });
    await at.round();
    const id = (await requests())[0]?.id ?? '';
    const page = await john.open(path());
    const file = await john.submit(page, path('/download'), { id, file: 'documents' });
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="documents.zip"');
    expect(file.html).toMatch(/^PK.*a letter/s);
    expect((await eventsOf(at.services)).at(-1)).toMatchObject({
      operation: 'downloadExport',
      entity: { fields: ['documents.zip'], recipient: 'the patient' },
    });
    at.time.now += REQUEST_LIMITS.readyMs;
    expect((await john.submit(page, path('/download'), { id, file: 'documents' })).status).toBe(410);
  });

  test('when the event of a download cannot be kept, nothing is handed out', async () => {
    const john = await asJohn();
    await john.submit(john.home, path('/start'), { kind: 'export' });
    await at.round();
    const [ready] = await requests();
    const page = await john.open(path());
    at.store.refuseWrites('auditEvents');
    const file = await john.submit(page, path('/download'), { id: ready?.id ?? '', file: 'record' });
    expect([file.status, file.html.includes('Doe')]).toEqual([503, false]);
    expect(at.faults.splice(0)).toMatchObject([{ code: 'AUDIT_UNAVAILABLE' }]);
    at.store.refuseWrites(null);
  });

  test('a copy whose key was retired meanwhile is asked for again', async () => {
    const john = await asJohn();
    await john.submit(john.home, path('/start'), { kind: 'export' });
    await at.round();
    const id = (await requests())[0]?.id ?? '';
    const page = await john.open(path());
    await at.store.tenant(TENANT).transact(async (tx) => tx.delete(ref(patientKeyVersions, `${at.john}_1`)));
    at.keys.flush(TENANT);
    const gone = await john.submit(page, path('/download'), { id, file: 'fhir' });
    expect([gone.status, gone.html.includes('Ask for it again')]).toEqual([410, true]);
  });

  test('another person cannot download it, and a withdrawn one is gone at once', async () => {
    const john = await asJohn();
    await john.submit(john.home, path('/start'), { kind: 'export' });
    await at.round();
    const id = (await requests())[0]?.id ?? '';
    const proxy = at.visitor();
    const theirs = await proxy.signIn('usr_proxy');
    const stolen = await proxy.submit(theirs, `/privacy/chart/${at.child}/download`, { id, file: 'fhir' });
    expect(stolen.status).toBe(404);
    await john.submit(await john.open(path()), path('/withdraw'), { id });
    expect((await john.submit(await john.open(path()), path('/download'), { id, file: 'fhir' })).status).toBe(
      410,
    );
    expect([...(at.store.rows.get(TENANT)?.keys() ?? [])].some((key) => key.startsWith('exportChunks'))).toBe(
      false,
    );
  });

  test('a consent changes at once, and the next call goes by it', async () => {
    await at.relate('usr_clinician', at.john, 'care-team');
    const john = await asJohn();
    const ask = () => at.call('usr_clinician', 'getPatient', { sections: ['conditions'], patient: at.john });
    expect(codeOf(await ask())).toBe('released');
    await john.submit(john.home, path('/consent'), { topic: 'treatment', state: 'granted' });
    await john.submit(john.home, path('/consent'), { topic: 'treatment', state: 'withdrawn' });
    expect(codeOf(await ask())).toBe('NOT_FOUND');
    expect((await eventsOf(at.services)).filter(({ operation }) => operation === 'setConsent')).toMatchObject(
      [{ entity: { fields: ['treatment.granted'] } }, { entity: { fields: ['treatment.withdrawn'] } }],
    );
  });

  test('a change that was asked for in a conversation takes effect when it is confirmed here, and not before', async () => {
    const asked = await at.call('usr_john', 'requestPrivacyAction', {
      kind: 'consent',
      about: 'sensitive.granted',
    });
    expect(codeOf(asked)).toBe('released');
    const said = async () => (await at.store.tenant(TENANT).get(consentRef(at.john)))[0]?.sensitive ?? 'none';
    expect(await said()).toBe('none');
    const john = await asJohn();
    const id = (await requests())[0]?.id ?? '';
    const [proxy, before] = [at.visitor(), (await requests())[0]?.state];
    const theirs = await proxy.signIn('usr_proxy');
    expect((await proxy.submit(theirs, `/privacy/chart/${at.child}/confirm`, { id })).status).toBe(400);
    expect([before, await said()]).toEqual(['asked', 'none']);
    await john.submit(john.home, path('/confirm'), { id });
    expect([(await requests())[0]?.state, await said()]).toEqual(['done', 'granted']);
  });

  test('an erasure is typed out, starts its export, and can be withdrawn while it cools off', async () => {
    const { john, page, id } = await askErasure();
    expect(headingOf(page)).toBe('Delete everything?');
    const slip = await john.submit(page, path('/confirm'), { id, typed: 'erase' });
    expect([slip.status, problemOf(slip)]).toEqual([400, expect.stringContaining('Type ERASE')]);
    await john.submit(page, path('/confirm'), { id, typed: 'ERASE' });
    const [exported, erasure] = await requests().then((all) =>
      [...all].sort((a, b) => (a.kind < b.kind ? 1 : -1)),
    );
    expect([exported?.kind, exported?.state]).toEqual(['export', 'confirmed']);
    expect(erasure).toMatchObject({ kind: 'erasure', state: 'review', linked: exported?.id });
    await review('usr_admin', id, { verdict: 'approve' });
    await review('usr_admin2', id, { verdict: 'approve' });
    await john.submit(await john.open(path()), path('/withdraw'), { id });
    at.time.now += REQUEST_LIMITS.coolingMs;
    await at.round();
    expect(await at.services.requests.find(of(), id, at.time.now)).toMatchObject({ state: 'withdrawn' });
    expect(codeOf(await at.call('usr_john', 'getPatient', { sections: ['conditions'] }))).toBe('released');
  });

  test('an erasure takes two administrators and its cooling-off, and then the chart is gone', async () => {
    const { john, id } = await confirmErasure();
    expect(await at.services.requests.find(of(), id, at.time.now)).toMatchObject({ state: 'review' });
    await review('usr_admin', id, { verdict: 'approve' });
    const again = await review('usr_admin', id, { verdict: 'approve' });
    expect(again.status).toBe(403);
    expect(await at.services.requests.find(of(), id, at.time.now)).toMatchObject({ state: 'review' });
    await review('usr_admin2', id, { verdict: 'approve' });
    expect(await at.services.requests.find(of(), id, at.time.now)).toMatchObject({ state: 'cooling' });
    await at.round();
    at.time.now += REQUEST_LIMITS.coolingMs;
    await at.round();
    expect(await at.services.requests.find(of(), id, at.time.now)).toMatchObject({ state: 'done' });
    expect(codeOf(await at.call('usr_john', 'getPatient', { sections: ['conditions'] }))).toBe('NOT_FOUND');
    expect((await john.open(path())).status).toBe(404);
  });

  test('a refusal reaches the person with its reason and what it leaves open', async () => {
    const { john, id } = await confirmErasure();
    await review('usr_admin', id, { verdict: 'refuse', reason: 'legal-hold' });
    const page = await john.open(path());
    expect(page.html).toContain('needed for a legal claim');
    expect(page.html).toContain('The clinic tells you when that has ended.');
  });

  test('a correction is read by the reviewer, with an event, and nobody else sees its words', async () => {
    const john = await asJohn();
    const words = 'I am not allergic to zanzibarine.';
    const page = await john.submit(john.home, path('/start'), { kind: 'correction', words });
    expect(page.html).not.toContain('zanzibarine');
    const id = (await requests())[0]?.id ?? '';
    const admin = at.visitor();
    const queue = await admin.signIn('usr_admin');
    expect(queue.html).not.toContain('zanzibarine');
    expect((await admin.open(`/privacy/review/${id}`)).html).toContain(words);
    const [read] = (await eventsOf(at.services)).filter(
      ({ operation }) => operation === 'readPrivacyRequest',
    );
    expect(read).toMatchObject({ actor: { user: 'usr_admin' }, entity: { id, fields: ['words'] } });
    await review('usr_admin', id, { verdict: 'approve' });
    expect(await requests()).toMatchObject([{ state: 'done' }]);
  });

  test('patients reach no review, and administrators no chart', async () => {
    const { john, id } = await confirmErasure();
    expect((await john.open(`/privacy/review/${id}`)).status).toBe(403);
    expect(
      (await john.submit(await john.open(), `/privacy/review/${id}`, { verdict: 'approve' })).status,
    ).toBe(403);
    const admin = at.visitor();
    const queue = await admin.signIn('usr_admin');
    expect((await admin.open(path())).status).toBe(404);
    expect((await admin.submit(queue, path('/start'), { kind: 'export' })).status).toBe(404);
  });

  test('forms of other sites, other sign-ins and no sign-in change nothing', async () => {
    const john = await asJohn();
    const other = at.visitor();
    await other.signIn('usr_proxy');
    const send = (page: VisitedPage, fields: Record<string, string>) =>
      john.submit(page, path('/start'), { kind: 'export', ...fields });
    expect((await send(john.home, { csrf: 'guessed' })).status).toBe(403);
    const cross = await fetch(`${at.origin}${path('/start')}`, {
      method: 'POST',
      headers: { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'kind=export',
    });
    expect(cross.status).toBe(403);
    const out = at.visitor();
    expect((await out.submit(await out.open(), path('/start'), { kind: 'export' })).status).toBe(401);
    expect(await requests()).toEqual([]);
  });

  test.each([
    ['start', { kind: 'consent' }],
    ['start', { kind: '<b>' }],
    ['start', { kind: 'correction', words: 'a' }],
    ['consent', { topic: 'proxy', state: 'none' }],
    ['download', { id: 'prq_x', file: '../x' }],
    ['confirm', { id: 'prq_x' }],
    ['withdraw', { id: '' }],
    ['start', { kind: 'correction', words: 'x'.repeat(60_000) }],
  ])('%s with %j is refused and changes nothing', async (act, fields) => {
    const john = await asJohn();
    const page = await john.submit(john.home, path(`/${act}`), fields as Record<string, string>);
    expect([400, 404, 413]).toContain(page.status);
    expect(await requests()).toEqual([]);
  });
});
