import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SESSION_MS } from '../../src/oauth/page-session.ts';
import { cardKeys, MAX_CARDS } from '../../src/payments/card-vault.ts';
import { eventsOf, TENANT } from '../mcp/house.ts';
import { startWallet } from './server.ts';

const NUMBER = '4111 1111 1111 1111';
const TYPED = { number: NUMBER, month: '12', year: '2035' };
const cardIn = (html: string): string => /name="card" value="([^"]+)"/.exec(html)?.[1] ?? '';

describe('the wallet', () => {
  let at: Awaited<ReturnType<typeof startWallet>>;
  beforeEach(async () => {
    at = await startWallet();
  });
  afterEach(async () => {
    expect(at.faults).toEqual([]);
    await at.close();
  });
  const lastEvents = async (count: number) =>
    (await eventsOf(at.services)).slice(-count).map(({ operation, outcome }) => `${operation} ${outcome}`);

  test('a patient keeps a card, sees its last four digits, and removes it; each step is an event', async () => {
    const visitor = at.visitor();
    const empty = await visitor.signIn('usr_john');
    expect(empty.html).toContain('No card is kept.');
    const kept = await visitor.submit(empty, '/wallet/keep', TYPED);
    expect([kept.status, kept.html]).toEqual([200, expect.stringContaining('Visa ending in 1111')]);
    expect(kept.html).toContain('Good through 12/2035');
    expect(kept.html).not.toContain('4111');
    expect(await lastEvents(2)).toEqual(['keepCard 0', 'listCards 0']);
    const gone = await visitor.submit(kept, '/wallet/remove', { card: cardIn(kept.html) });
    expect(gone.html).toContain('No card is kept.');
    expect(await lastEvents(2)).toEqual(['removeCard 0', 'listCards 0']);
    expect(await at.store.tenant(TENANT).list(cardKeys, { limit: 5 })).toEqual([]);
    expect((await eventsOf(at.services)).at(-1)).toMatchObject({
      purposeOfUse: 'HPAYMT',
      policy: 'patient-own-chart',
    });
  });

  test.each([
    ['a number with a slip in it', { number: '4111 1111 1111 1112' }, 'Check the number'],
    ['a date that is over', { month: '01', year: '2020' }, 'Check the expiry date'],
    ['nothing', { number: '' }, 'Check the number'],
  ])('%s keeps nothing, and the page repeats nothing', async (_name, change, problem) => {
    const visitor = at.visitor();
    const page = await visitor.submit(await visitor.signIn('usr_john'), '/wallet/keep', {
      ...TYPED,
      ...change,
    });
    expect([page.status, page.html]).toEqual([400, expect.stringContaining(problem)]);
    expect(page.html).not.toMatch(/4111|1112/);
    expect(await at.vault.list({ tenant: TENANT, patient: at.john })).toEqual([]);
  });

  test('the full wallet offers no form for more, and refuses one', async () => {
    const visitor = at.visitor();
    const first = await visitor.signIn('usr_john');
    let page = first;
    for (let n = 0; n < MAX_CARDS; n += 1) page = await visitor.submit(page, '/wallet/keep', TYPED);
    expect(page.html).toContain('Remove a card to keep another.');
    expect(page.html).not.toContain('name="number"');
    const more = await visitor.submit(first, '/wallet/keep', TYPED);
    expect([more.status, more.html]).toEqual([400, expect.stringContaining(`${MAX_CARDS} cards are kept`)]);
  });

  test.each(['usr_clinician', 'usr_frontdesk', 'usr_auditor', 'usr_admin'])(
    '%s does not come in',
    async (user) => {
      const page = await at.visitor().signIn(user);
      expect([page.status, page.html]).toEqual([403, expect.stringContaining('This page is for patients')]);
    },
  );

  test('another’s card is like none', async () => {
    const john = at.visitor();
    const kept = await john.submit(await john.signIn('usr_john'), '/wallet/keep', TYPED);
    await at.join('usr_child', 'patient', at.child);
    const other = at.visitor();
    const page = await other.submit(await other.signIn('usr_child'), '/wallet/remove', {
      card: cardIn(kept.html),
    });
    expect([page.status, page.html]).toEqual([400, expect.stringContaining('There is no such card')]);
    expect(await at.vault.list({ tenant: TENANT, patient: at.john })).toHaveLength(1);
  });

  test('a form of another site, of another sign-in, or of none counts for nothing', async () => {
    const visitor = at.visitor();
    const page = await visitor.signIn('usr_john');
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    const post = (headers: Record<string, string>, fields: Record<string, string>) =>
      fetch(`${at.origin}/wallet/keep`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams({ ...TYPED, ...fields }),
        redirect: 'manual',
      });
    const cookie = visitor.browser.cookie;
    const origin = at.origin;
    expect((await post({ cookie, origin: 'https://evil.example' }, { csrf })).status).toBe(403);
    expect((await post({ cookie, origin }, { csrf: 'x' })).status).toBe(403);
    expect((await post({ origin }, { csrf })).status).toBe(401);
    expect(
      (await fetch(`${origin}/wallet/keep`, { method: 'PUT', headers: { cookie, origin } })).status,
    ).toBe(404);
    expect(await at.vault.list({ tenant: TENANT, patient: at.john })).toEqual([]);
  });

  test('a sign-in ends, by itself and by the button; unknown addresses are none', async () => {
    expect(SESSION_MS).toBe(600_000);
    const visitor = at.visitor();
    const page = await visitor.signIn('usr_john');
    expect((await visitor.open('/wallet/nothing')).status).toBe(404);
    const out = await visitor.submit(page, '/wallet/sign-out');
    expect(out.html).toContain('id="password"');
    expect((await visitor.open()).html).toContain('id="password"');
  });

  test('no page may be framed, cached, or load anything from elsewhere', async () => {
    const visitor = at.visitor();
    for (const page of [await visitor.open(), await visitor.signIn('usr_john')]) {
      expect(page.headers.get('content-security-policy')).toMatch(
        /default-src 'none'.*frame-ancestors 'none'/,
      );
      expect(page.headers.get('cache-control')).toBe('private, no-store');
      expect(page.headers.get('content-security-policy')).not.toContain('unsafe');
    }
  });
});
