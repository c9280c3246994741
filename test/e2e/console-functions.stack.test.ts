import { afterAll, beforeAll, expect, test } from 'vitest';
import { DOCUMENT_LIMITS } from '../../src/clinic/documents/document.ts';
import { freePort } from '../../src/dev/backends/free-port.ts';
import { DEMO_PASSWORD } from '../../src/dev/people.ts';
import { startSuite } from '../../src/dev/suite.ts';
import { signInAtEmulator } from '../../src/dev/user-agent/emulator-sign-in.ts';
import { describeNeeding } from '../stack/needs.ts';
import { startTestStack, type TestStack } from './stack.ts';

describeNeeding('emulator suite', 'the console in the deployable bundle, as Hosting lets it through', () => {
  let at: TestStack;
  beforeAll(async () => {
    at = await startTestStack(startSuite, { port: await freePort() });
  }, 180_000);
  afterAll(async () => at?.close());

  /** A browser behind production's Hosting, which passes the cookie `__session` and no other. */
  const openBrowser = () => {
    let session = '';
    return {
      names: new Set<string>(),
      async go(path: string, init: RequestInit = {}): Promise<Response> {
        const response = await fetch(at.stack.origin + path, {
          redirect: 'manual',
          ...init,
          headers: { ...init.headers, ...(session === '' ? {} : { cookie: `__session=${session}` }) },
        });
        for (const line of response.headers.getSetCookie()) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
          this.names.add(name);
          if (name === '__session') session = value;
        }
        return response;
      },
    };
  };
  const signIn = async (browser: ReturnType<typeof openBrowser>, email: string, page = '/console') =>
    browser.go(`${page}/sign-in`, {
      method: 'POST',
      headers: { origin: at.stack.origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        idToken: await signInAtEmulator({
          email,
          password: DEMO_PASSWORD,
          authEmulatorUrl: `http://${at.stack.env['FIREBASE_AUTH_EMULATOR_HOST'] ?? ''}`,
        }),
      }),
    });
  const scriptOf = (body: string): string => /<script type="module" src="([^"]+)"/.exec(body)?.[1] ?? '';

  test('shows the sign-in page, closed to scripts of others, and its script', async () => {
    const page = await openBrowser().go('/console');
    const body = await page.text();
    expect(page.status).toBe(200);
    expect(body).toContain('<h1>Auditor console</h1>');
    const policy = page.headers.get('content-security-policy') ?? '';
    for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"])
      expect(policy).toContain(rule);
    expect(policy).not.toContain('unsafe');
    const script = await fetch(at.stack.origin + scriptOf(body));
    expect([script.status, script.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('javascript'),
    ]);
  });

  test('an auditor is sent to the console, which has its script, and reads the log', async () => {
    const browser = openBrowser();
    const signedIn = await signIn(browser, 'auditor@example.com');
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/console']);
    expect([...browser.names]).toEqual(['__session']);
    const body = await (await browser.go('/console')).text();
    expect(body).toContain('id="verdicts"');
    expect(scriptOf(body)).toBe('/assets/console.js');
    for (const path of ['/assets/console.js', '/assets/console-style.css'])
      expect((await browser.go(path)).status, path).toBe(200);
    const origin = { origin: at.stack.origin };
    expect((await browser.go('/console/api/log/size')).status).toBe(409);
    expect((await browser.go('/console/api/read', { method: 'POST', headers: origin })).status).toBe(200);
    expect((await browser.go('/console/api/log/size')).status).toBe(200);
    expect((await browser.go('/console/sign-out', { method: 'POST', headers: origin })).status).toBe(303);
    expect((await browser.go('/console/api/session')).status).toBe(401);
  });

  test('nobody else gets in, and nothing is read without a session', async () => {
    const browser = openBrowser();
    const refused = await signIn(browser, 'john@example.com');
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('This account may not open the console');
    expect((await browser.go('/console/api/log/size')).status).toBe(401);
    const foreign = await browser.go('/console/sign-in', {
      method: 'POST',
      headers: { origin: 'https://evil.example' },
    });
    expect(foreign.status).toBe(403);
  });

  test('the privacy pages are served by it too: a patient signs in and asks for a copy', async () => {
    const browser = openBrowser();
    const signedIn = await signIn(browser, 'john@example.com', '/privacy');
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/privacy']);
    const body = await (await browser.go('/privacy')).text();
    expect(body).toContain('<h1>Your data</h1>');
    const [, action = '', csrf = ''] =
      /action="([^"]+\/start)">\s*<input type="hidden" name="csrf" value="([^"]+)"/.exec(body) ?? [];
    const asked = await browser.go(action, {
      method: 'POST',
      headers: { origin: at.stack.origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ csrf, kind: 'export' }),
    });
    expect(asked.status).toBe(303);
    expect(await (await browser.go('/privacy')).text()).toContain('A copy of my data');
    expect([...browser.names]).toEqual(['__session']);
  });

  test('so are the documents, by a function of their own: 25 MB come in and go out, one byte more does not', async () => {
    const browser = openBrowser();
    await signIn(browser, 'john@example.com', '/documents');
    const most = Buffer.alloc(DOCUMENT_LIMITS.bytes, '%PDF-1.7 0123456789');
    const page = async () => {
      const body = await (await browser.go('/documents')).text();
      const [, action = ''] = /action="([^"]+\/add)"/.exec(body) ?? [];
      const field = (name: string): string =>
        new RegExp(`name="${name}" value="([^"]+)"`).exec(body)?.[1] ?? '';
      return { action, csrf: field('csrf'), id: field('id') };
    };
    const { action, csrf } = await page();
    const send = async (bytes: Buffer<ArrayBuffer>) => {
      const form = new FormData();
      for (const [name, value] of Object.entries({ csrf, kind: 'letter', title: 'Large' }))
        form.append(name, value);
      form.append('file', new Blob([bytes]), 'large.pdf');
      return browser.go(action, { method: 'POST', headers: { origin: at.stack.origin }, body: form });
    };
    expect((await send(Buffer.concat([most, Buffer.from('x')]))).status).toBe(413);
    expect((await send(most)).status).toBe(303);
    const opened = await browser.go(action.replace('/add', '/open'), {
      method: 'POST',
      headers: { origin: at.stack.origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ csrf, id: (await page()).id }),
    });
    expect(opened.headers.get('content-type')).toBe('application/pdf');
    expect(Buffer.from(await opened.arrayBuffer()).equals(most)).toBe(true);
    expect([...browser.names]).toEqual(['__session']);
  });
});
