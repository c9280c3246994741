import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emergencyGrants, emergencyRecords } from '../../../src/access/emergency.ts';
import { fieldOf, type VisitedPage } from '../../../src/dev/user-agent/browser.ts';
import { SYSTEM_TENANT } from '../../../src/kernel/ids.ts';
import { codeOf, NOW } from '../../access/people.ts';
import { handleOf, headingOf, JOHN_TYPED, startEmergency } from '../../emergency/server.ts';
import { eventsOf, TENANT } from '../../mcp/house.ts';

describe('abuse of emergency access', () => {
  let at: Awaited<ReturnType<typeof startEmergency>>;
  beforeEach(async () => {
    at = await startEmergency();
  });
  afterEach(() => at.close());
  const tenant = () => at.store.tenant(TENANT);
  const grants = () => tenant().list(emergencyGrants, { limit: 10 });
  const records = () => tenant().list(emergencyRecords, { limit: 10 });
  const rows = () =>
    new Map([...(at.store.rows.get(TENANT) ?? [])].map(([id, row]) => [id, JSON.stringify(row)]));
  /** The collections in which a row is new or changed. */
  const writtenBy = async (act: () => Promise<unknown>): Promise<string[]> => {
    const before = rows();
    await act();
    const changed = [...rows()].filter(([id, row]) => before.get(id) !== row);
    return changed.map(([id]) => id.split('/')[0] ?? '').sort();
  };
  const DENIAL = ['auditEvents', 'auditPending'];
  const clinicianForm = async () => {
    const visitor = at.visitor();
    return { visitor, form: await visitor.signIn('usr_clinician') };
  };
  const openJohn = async () => {
    const { visitor, form } = await clinicianForm();
    const page = await visitor.submit(form, '/emergency/open', JOHN_TYPED);
    expect(handleOf(page)).toBe(at.john);
    const [record] = await records();
    return { visitor, form, record: record?.id ?? '' };
  };
  const read = (user: string, patient: string) =>
    at.call(user, 'getPatient', { sections: ['conditions'], patient }).then(codeOf);
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string>) =>
    fetch(at.origin + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(fields).toString(),
    });
  const notAccepted = (page: VisitedPage, status = 403) => {
    expect([page.status, headingOf(page)]).toEqual([status, 'This was not accepted']);
    expect(page.html).not.toMatch(/Doe|unconscious|pat_/);
  };

  test('a form that is sent again, by the back button or a thief, opens nothing more', async () => {
    const { visitor, form } = await openJohn();
    at.time.now = NOW + 31 * 60_000;
    const again = await visitor.submit(form, '/emergency/open', JOHN_TYPED);
    expect([again.status, headingOf(again)]).toEqual([401, 'Sign in again']);
    expect(await read('usr_clinician', at.john)).toBe('NOT_FOUND');
    expect(await records()).toHaveLength(1);
  });

  test('a cookie that was kept from before the opening opens no second chart', async () => {
    const { visitor, form } = await clinicianForm();
    const kept = visitor.browser.cookie;
    await visitor.submit(form, '/emergency/open', JOHN_TYPED);
    const fields = { ...JOHN_TYPED, family: '', handle: at.child, csrf: fieldOf(form, 'csrf') };
    let status = 0;
    const written = await writtenBy(async () => {
      status = (await post('/emergency/open', fields, { origin: at.origin, cookie: kept })).status;
    });
    expect([status, written]).toEqual([403, DENIAL]);
    expect(await read('usr_clinician', at.child)).toBe('NOT_FOUND');
  });

  test('the same form many times at once opens one chart, once', async () => {
    const { visitor, form } = await clinicianForm();
    const headers = { origin: at.origin, cookie: visitor.browser.cookie };
    const fields = { ...JOHN_TYPED, csrf: fieldOf(form, 'csrf') };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => post('/emergency/open', fields, headers)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await records()).toHaveLength(1);
    const opened = (await eventsOf(at.services)).filter(
      ({ operation, outcome }) => operation === 'emergency-opened' && outcome === '0',
    );
    expect(opened).toHaveLength(1);
  });

  test.each([
    ['another site', { origin: 'https://evil.example' }],
    ['no origin', {}],
    ['an opaque origin', { origin: 'null' }],
    ['a look-alike', { origin: 'http://127.0.0.1.evil.example' }],
  ])('a form of %s is refused before anything is read', async (_name, headers) => {
    const { visitor, form } = await clinicianForm();
    const fields = { ...JOHN_TYPED, csrf: fieldOf(form, 'csrf') };
    let status = 0;
    const written = await writtenBy(async () => {
      status = (
        await post('/emergency/open', fields, { ...headers, cookie: visitor.browser.cookie } as Record<
          string,
          string
        >)
      ).status;
    });
    expect([status, written]).toEqual([403, []]);
    expect(await grants()).toEqual([]);
  });

  test.each([
    ['none', ''],
    ['a guess', 'A'.repeat(43)],
  ])('a form with %s for its token is refused', async (_name, csrf) => {
    const { visitor, form } = await clinicianForm();
    notAccepted(await visitor.submit(form, '/emergency/open', { ...JOHN_TYPED, csrf }));
    expect(await grants()).toEqual([]);
  });

  test('the token of another sign-in of the same person is refused', async () => {
    const [one, two] = [await clinicianForm(), await clinicianForm()];
    notAccepted(
      await one.visitor.submit(one.form, '/emergency/open', {
        ...JOHN_TYPED,
        csrf: fieldOf(two.form, 'csrf'),
      }),
    );
    expect(await grants()).toEqual([]);
  });

  test('a GET with the form in its address opens nothing', async () => {
    const { visitor, form } = await clinicianForm();
    const query = new URLSearchParams({ ...JOHN_TYPED, csrf: fieldOf(form, 'csrf') }).toString();
    const page = await visitor.open(`/emergency/open?${query}`);
    expect(page.status).toBe(404);
    expect(page.html).not.toContain('Doe');
    expect(await grants()).toEqual([]);
  });

  test('a cookie that was changed, or made elsewhere, is no sign-in', async () => {
    const { visitor } = await clinicianForm();
    const [name = '', value = ''] = visitor.browser.cookie.split('=');
    const forged = Buffer.from(
      JSON.stringify({ i: 'x', t: 'riverside', u: 'usr_clinician', e: Date.now() + 60_000 }),
    ).toString('base64url');
    for (const cookie of [
      `${name}=${value.slice(0, -2)}AA`,
      `${name}=${forged}`,
      `emergency=${forged}`,
      `${name}=`,
    ]) {
      const page = await fetch(`${at.origin}/emergency`, { headers: { cookie } });
      expect(await page.text()).toContain('id="password"');
    }
  });

  test('a flood of sign-ins fills neither the log nor the store, and shuts nobody out for good', async () => {
    const headers = { origin: at.origin };
    const statuses: number[] = [];
    for (let turn = 0; turn < 24; turn += 1)
      statuses.push((await post('/emergency/sign-in', { idToken: 'forged' }, headers)).status);
    expect(statuses).toEqual([...Array<number>(20).fill(400), 429, 429, 429, 429]);
    const system = [...(at.store.rows.get(SYSTEM_TENANT) ?? [])].map(([id]) => id);
    expect(system.filter((id) => id.startsWith('auditEvents/'))).toHaveLength(21);
    expect((await at.visitor().signIn('usr_clinician')).status).toBe(429);
    at.time.now = NOW + 16 * 60_000;
    expect((await at.visitor().signIn('usr_clinician')).status).toBe(200);
  });

  test('everybody but a clinician is refused the opening, whatever the page shows them', async () => {
    for (const user of ['usr_auditor', 'usr_admin']) {
      const visitor = at.visitor();
      const queue = await visitor.signIn(user);
      const written = await writtenBy(async () => {
        const page = await visitor.submit(queue, '/emergency/open', JOHN_TYPED);
        expect(page.status).toBe(400);
      });
      expect(written).toEqual(DENIAL);
      expect(await read(user, at.john)).toBe('NOT_FOUND');
    }
    expect(await grants()).toEqual([]);
  });

  test('a clinician who is none any more by the time of the form opens nothing', async () => {
    const { visitor, form } = await clinicianForm();
    await at.join('usr_clinician', 'frontdesk');
    expect((await visitor.submit(form, '/emergency/open', JOHN_TYPED)).status).toBe(400);
    expect(await grants()).toEqual([]);
  });

  test('a chart of another clinic is one that is not there', async () => {
    await at.join('lak_clinician', 'clinician', null, 'lakeside' as never);
    const visitor = at.visitor();
    const form = await visitor.signIn('lak_clinician');
    const page = await visitor.submit(form, '/emergency/open', { ...JOHN_TYPED, handle: at.john });
    expect(page.status).not.toBe(200);
    expect(page.html).not.toContain(at.john);
    expect(await grants()).toEqual([]);
  });

  test('the access is of one person, one chart, one span', async () => {
    await openJohn();
    await at.join('usr_second', 'clinician');
    expect(await read('usr_clinician', at.john)).toBe('released');
    expect(await read('usr_clinician', at.child)).toBe('NOT_FOUND');
    for (const user of ['usr_second', 'usr_frontdesk', 'usr_proxy', 'usr_admin'])
      expect(await read(user, at.john)).toBe('NOT_FOUND');
    await at.join('usr_clinician', 'frontdesk');
    expect(await read('usr_clinician', at.john)).toBe('NOT_FOUND');
    await at.join('usr_clinician', 'clinician');
    at.time.now = NOW + 30 * 60_000;
    expect(await read('usr_clinician', at.john)).toBe('NOT_FOUND');
  });

  test('nobody reviews their own, not even after they became a reviewer', async () => {
    const { record } = await openJohn();
    await at.join('usr_clinician', 'auditor');
    const visitor = at.visitor();
    const queue = await visitor.signIn('usr_clinician');
    expect(queue.html).toContain('You opened this yourself');
    expect(queue.html).not.toContain(`/emergency/review/${record}`);
    const written = await writtenBy(async () => {
      notAccepted(await visitor.open(`/emergency/review/${record}`));
      notAccepted(await visitor.submit(queue, `/emergency/review/${record}`, { verdict: 'justified' }));
    });
    expect(written).toEqual([...DENIAL, ...DENIAL].sort());
    expect((await records())[0]?.row.state).toBe('open');
  });

  test('clinicians, patients and reviewers of another clinic review nothing', async () => {
    const { record } = await openJohn();
    await at.join('usr_second', 'clinician');
    const clinician = at.visitor();
    await clinician.signIn('usr_second');
    notAccepted(await clinician.open(`/emergency/review/${record}`));
    notAccepted(await clinician.open('/emergency/review'));
    await at.join('lak_auditor', 'auditor', null, 'lakeside' as never);
    const foreign = at.visitor();
    await foreign.signIn('lak_auditor');
    const page = await foreign.open(`/emergency/review/${record}`);
    expect(page.status).not.toBe(200);
    expect(page.html).not.toContain('unconscious');
  });

  test('a review is given once', async () => {
    const { record } = await openJohn();
    const visitor = at.visitor();
    const queue = await visitor.signIn('usr_auditor');
    await visitor.submit(queue, `/emergency/review/${record}`, { verdict: 'unjustified' });
    const written = await writtenBy(async () => {
      notAccepted(await visitor.submit(queue, `/emergency/review/${record}`, { verdict: 'justified' }));
    });
    expect(written).toEqual(DENIAL);
    expect((await records())[0]?.row.state).toBe('unjustified');
  });

  test('a verdict of one’s own making is none', async () => {
    const { record } = await openJohn();
    const visitor = at.visitor();
    const queue = await visitor.signIn('usr_auditor');
    notAccepted(await visitor.submit(queue, `/emergency/review/${record}`, { verdict: 'open' }), 400);
    expect((await records())[0]?.row.state).toBe('open');
  });

  test('a record that does not exist, or is no record, is refused like one of another’s', async () => {
    const visitor = at.visitor();
    const queue = await visitor.signIn('usr_auditor');
    notAccepted(await visitor.open(`/emergency/review/eg_${'A'.repeat(22)}`));
    notAccepted(
      await visitor.submit(queue, `/emergency/review/eg_${'A'.repeat(22)}`, { verdict: 'justified' }),
    );
    expect((await visitor.open('/emergency/review/..%2f..%2fetc')).status).toBe(404);
  });

  test('a sealed reason that was moved to another record does not open', async () => {
    const { record } = await openJohn();
    const [row] = await tenant().get({ collection: emergencyRecords, id: record });
    if (row === null) throw new Error('no record');
    const other = `eg_${'B'.repeat(22)}`;
    await tenant().transact(async (tx) => tx.create({ collection: emergencyRecords, id: other }, row));
    const visitor = at.visitor();
    await visitor.signIn('usr_auditor');
    const page = await visitor.open(`/emergency/review/${other}`);
    expect(page.status).toBe(503);
    expect(page.html).not.toContain('unconscious');
  });
});
