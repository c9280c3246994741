import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBrowser } from '../../../src/dev/user-agent/browser.ts';
import {
  type Attacked,
  expectRefusedPage,
  openConsent,
  openSignIn,
  postForm,
  startAttacked,
} from './house.ts';

let at: Attacked;
beforeAll(async () => {
  at = await startAttacked();
});
afterAll(() => at.close());

describe('a consent that the person did not give', () => {
  const attacks: Readonly<
    Record<string, (csrf: string) => { origin?: string; fields: Record<string, string> }>
  > = {
    'without the form’s token': () => ({ origin: at.issuer, fields: {} }),
    'with a made-up token': () => ({ origin: at.issuer, fields: { csrf: 'x'.repeat(43) } }),
    'from another site': (csrf) => ({ origin: 'https://evil.example', fields: { csrf } }),
    'from a sandboxed frame': (csrf) => ({ origin: 'null', fields: { csrf } }),
    'from nowhere': (csrf) => ({ fields: { csrf } }),
    'from our address on another port': (csrf) => ({ origin: `${at.issuer}1`, fields: { csrf } }),
  };
  test.each(Object.keys(attacks))('(%s) is refused, and nothing is granted', async (name) => {
    const { browser, consent, csrf } = await openConsent(at);
    const { origin, fields } = attacks[name]?.(csrf) ?? { fields: {} };
    const headers = { cookie: browser.cookie, ...(origin === undefined ? {} : { origin }) };
    const send = () => postForm(`${consent.url.href}/consent`, { ...fields, decision: 'allow' }, headers);
    await expectRefusedPage(await at.unharmed([], send), 403);
  });

  test('by the token of another interaction is refused', async () => {
    const { browser, consent } = await openConsent(at);
    const { csrf } = await openConsent(at);
    const headers = { cookie: browser.cookie, origin: at.issuer };
    const send = () => postForm(`${consent.url.href}/consent`, { csrf, decision: 'allow' }, headers);
    await expectRefusedPage(await at.unharmed([], send), 403);
  });

  test('by a link is no consent', async () => {
    const { browser, consent, csrf } = await openConsent(at);
    const url = new URL(`${consent.url.href}/consent?decision=allow&csrf=${csrf}`);
    const shown = await at.unharmed([], () => browser.open(url));
    expect('html' in shown && shown.html).toContain('Connect ChatGPT?');
  });

  test('from another browser is refused', async () => {
    const { consent, csrf } = await openConsent(at);
    const headers = { origin: at.issuer };
    const send = () => postForm(`${consent.url.href}/consent`, { csrf, decision: 'allow' }, headers);
    await expectRefusedPage(await at.unharmed([], send), 400);
  });

  test('before anybody signed in is refused', async () => {
    const { browser, shown, csrf } = await openSignIn(at);
    const headers = { cookie: browser.cookie, origin: at.issuer };
    const send = () => postForm(`${shown.url.href}/consent`, { csrf, decision: 'allow' }, headers);
    await expectRefusedPage(await at.unharmed([], send), 400);
  });

  test('with any other word than allow is a no', async () => {
    const { browser, consent, csrf } = await openConsent(at);
    const end = await browser.submit(consent, `${consent.url.pathname}/consent`, { csrf, decision: 'ALLOW' });
    expect((end as URL).searchParams.get('error')).toBe('access_denied');
  });
});

describe('a session that an attacker fixed', () => {
  test('in the victim’s browser does not become the victim’s', async () => {
    const attacker = await openSignIn(at);
    // The attacker's cookie is planted; the victim opens a connection of their own with it.
    const planted = attacker.browser.cookie;
    const { consent, browser } = await openConsent(at);
    expect(browser.cookie).not.toBe(planted);
    const own = await fetch(consent.url, { headers: { cookie: planted }, redirect: 'manual' });
    await expectRefusedPage(await at.unharmed([], async () => own), 400);
  });

  test('changes at sign-in: the cookie from before does not open the consent', async () => {
    const { browser, shown, csrf } = await openSignIn(at);
    const before = browser.cookie;
    const consent = await browser.submit(shown, `${shown.url.pathname}/sign-in`, { csrf, idToken: 'john' });
    if (consent instanceof URL) throw new Error('No page');
    expect(browser.cookie).not.toBe(before);
    const headers = { cookie: before, origin: at.issuer };
    const send = () => postForm(`${consent.url.href}/consent`, { csrf, decision: 'allow' }, headers);
    await expectRefusedPage(await at.unharmed([], send), 400);
  });

  test('cannot be made: a jar that we did not sign is empty', async () => {
    const { browser, shown, csrf } = await openSignIn(at);
    const [name = '', value = ''] = browser.cookie.split('=');
    const [body = ''] = value.split('.');
    for (const forged of [`${name}=${body}.${'A'.repeat(43)}`, `${name}=${body}`, `${name}=x.y`]) {
      const send = () =>
        postForm(
          `${shown.url.href}/sign-in`,
          { csrf, idToken: 'john' },
          { cookie: forged, origin: at.issuer },
        );
      await expectRefusedPage(await at.unharmed([], send), 400);
    }
  });

  test('is over when the connection is made', async () => {
    const { browser, consent, csrf } = await openConsent(at);
    await browser.submit(consent, `${consent.url.pathname}/consent`, { csrf, decision: 'allow' });
    const again = await at.unharmed([], () =>
      browser.submit(consent, `${consent.url.pathname}/consent`, { csrf, decision: 'allow' }),
    );
    if (again instanceof URL) throw new Error('A second code');
    await expectRefusedPage(again, 400);
  });

  test('signs nobody in to the next connection', async () => {
    const { browser } = await openConsent(at);
    const { shown } = await openSignIn(at);
    const next = await createBrowser(at.issuer).open(shown.url);
    expect('html' in next && next.html).not.toContain('Connect ChatGPT?');
    expect(browser.cookie).toMatch(/^__session=/);
  });
});
