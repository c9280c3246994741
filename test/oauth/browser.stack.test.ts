import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createAccounts } from '../../src/dev/auth/accounts.ts';
import { type AuthEmulator, startAuthEmulator } from '../../src/dev/auth/emulator.ts';
import { signInAtEmulator } from '../../src/dev/user-agent/emulator-sign-in.ts';
import { buildWebAssets } from '../../src/dev/web-assets.ts';
import { developmentOnly } from '../../src/oauth/development.ts';
import { firebaseSignIn } from '../../src/oauth/sign-in-firebase.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { accessibilityFaults } from '../stack/accessible.ts';
import { launchChromium } from '../stack/chromium.ts';
import { describeNeeding } from '../stack/needs.ts';
import { authorizationRequest, redeem, register } from './client.ts';
import { type IdentityStub, startIdentityStub } from './identity-stub.ts';
import { type RunningServer, startServer } from './server.ts';

const projectId = 'demo-oauth-browser';
const email = 'john@example.com';
const password = 'correct horse battery staple';
/** Kept when `SCREENSHOTS` names a folder, to be looked at. */
const shots = process.env['SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'chartseal-pages-'));

let emulator: AuthEmulator;
let signIn: ReturnType<typeof firebaseSignIn>;
let server: RunningServer;
let idp: IdentityStub;
let browser: Browser;
let page: Page;
/** The client's own site: another origin. */
let client: Server;
let redirect: string;
let problems: string[];

beforeAll(async () => {
  emulator = await startAuthEmulator({ projectId });
  vi.stubEnv('FIREBASE_AUTH_EMULATOR_HOST', emulator.host);
  const accounts = [
    { userId: 'john', email, password, tenant: 'riverside' },
    { userId: 'ann', email: 'ann@example.com', password, tenant: 'riverside' },
    { userId: 'stray', email: 'stray@example.com', password },
  ];
  idp = await startIdentityStub({ sub: 'google-ann', email: 'ann@example.com', email_verified: true });
  await createAccounts({ emulatorUrl: emulator.url, projectId, accounts });
  signIn = firebaseSignIn({ projectId, [developmentOnly]: true });
  const pages = {
    script: '/assets/sign-in.js',
    style: '/assets/pages.css',
    name: 'Riverside Clinic',
    apiKey: 'demo',
    authEmulatorUrl: emulator.url,
  };
  const assets = await buildWebAssets();
  server = await startServer({
    store: createMemoryStore(),
    signIn,
    assets,
    overrides: { pages, identityProviders: [idp.provider] },
  });
  client = createServer((_req, res) => res.end('Back at the client'));
  await new Promise<void>((resolve) => client.listen(0, '127.0.0.1', resolve));
  redirect = `http://127.0.0.1:${(client.address() as AddressInfo).port}/callback`;
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  client?.close();
  idp?.close();
  await signIn?.close();
  await emulator?.close();
  vi.unstubAllEnvs();
  if (process.env['SCREENSHOTS'] === undefined) rmSync(shots, { recursive: true, force: true });
});
beforeEach(() => {
  problems = [];
});

/** A fresh person's browser at the sign-in page. */
async function visit(look: { width: number; colorScheme: 'light' | 'dark' }) {
  const context = await browser.newContext({
    viewport: { width: look.width, height: 844 },
    colorScheme: look.colorScheme,
    reducedMotion: 'reduce',
  });
  page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('400')) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  const clientId = String((await register(server, { redirect_uris: [redirect] })).body['client_id']);
  const request = authorizationRequest(server, clientId, { scope: undefined, redirect_uri: redirect });
  await page.goto(request.url.href);
  return { request, leave: () => context.close() };
}

const shot = (name: string) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
const focused = (): Promise<string> =>
  page.evaluate(
    () => (document.activeElement as HTMLElement).id || (document.activeElement?.textContent ?? ''),
  );

/** Each control is at least 44 by 44 CSS pixels, and axe finds nothing that keeps people out. */
async function assertComfortable(): Promise<void> {
  for (const control of await page.locator('input:visible, button:visible').all()) {
    const box = await control.boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(44);
    expect(box?.width).toBeGreaterThanOrEqual(44);
  }
  expect(await accessibilityFaults(page)).toEqual([]);
}

describeNeeding('chromium', 'in a real browser', () => {
  test.each([
    { width: 390, colorScheme: 'light' },
    { width: 390, colorScheme: 'dark' },
    { width: 1280, colorScheme: 'light' },
    { width: 1280, colorScheme: 'dark' },
  ] as const)('a person signs in and consents by keyboard ($width px, $colorScheme)', async (look) => {
    const { request, leave } = await visit(look);
    expect(await focused()).toBe('email');
    await assertComfortable();
    await shot(`sign-in-${look.width}-${look.colorScheme}`);
    await page.keyboard.type(email);
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('password');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Connect ChatGPT?' }).waitFor();
    await assertComfortable();
    await shot(`consent-${look.width}-${look.colorScheme}`);
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Allow');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${redirect}?**`);
    const code = new URL(page.url()).searchParams.get('code') ?? '';
    expect((await redeem(server, request, code, { redirect_uri: redirect })).status).toBe(200);
    expect(problems).toEqual([]);
    await leave();
  });

  test('a wrong password is said in words, by the form, and can be put right', async () => {
    const { leave } = await visit({ width: 390, colorScheme: 'light' });
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').filter({ hasText: 'The email or password is not right.' }).waitFor();
    expect(await focused()).toBe('password');
    await shot('sign-in-wrong-390-light');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Connect ChatGPT?' }).waitFor();
    expect(problems).toEqual([]);
    await leave();
  });

  test('an account with an authenticator app is asked for its code, and told when it is wrong', async () => {
    const { leave } = await visit({ width: 390, colorScheme: 'light' });
    const genuine = await signInAtEmulator({ email, password, authEmulatorUrl: emulator.url });
    // The emulator knows second factors by text message only: here the service's answers are played.
    await page.route('**/accounts:signInWithPassword?**', (route) =>
      route.fulfill({
        json: {
          localId: 'john',
          mfaPendingCredential: 'pending',
          mfaInfo: [{ mfaEnrollmentId: 'app', totpInfo: {} }],
        },
      }),
    );
    const sent: unknown[] = [];
    await page.route('**/mfaSignIn:finalize?**', (route) => {
      const body = route.request().postDataJSON() as { totpVerificationInfo: { verificationCode: string } };
      sent.push(body);
      return body.totpVerificationInfo.verificationCode === '123456'
        ? route.fulfill({ json: { idToken: genuine, refreshToken: 'unused' } })
        : route.fulfill({ status: 400, json: { error: { code: 400, message: 'INVALID_CODE' } } });
    });
    await page.keyboard.type(email);
    await page.keyboard.press('Tab');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.getByLabel('Code from your authenticator app').waitFor();
    expect(await focused()).toBe('code');
    await assertComfortable();
    await page.keyboard.type('000000');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'That code is not right.' }).waitFor();
    expect(await focused()).toBe('code');
    await shot('second-step-390-light');
    await page.keyboard.type('123456');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Connect ChatGPT?' }).waitFor();
    expect(sent).toMatchObject([
      {
        mfaEnrollmentId: 'app',
        mfaPendingCredential: 'pending',
        totpVerificationInfo: { verificationCode: '000000' },
      },
      { totpVerificationInfo: { verificationCode: '123456' } },
    ]);
    await leave();
  });

  test('what the server says of a refused sign-in stays until the person tries again', async () => {
    const { leave } = await visit({ width: 390, colorScheme: 'dark' });
    await page.getByLabel('Email').fill('stray@example.com');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    const alert = page.getByRole('alert').filter({ hasText: 'not set up for a clinic yet' });
    await alert.waitFor();
    await page.waitForLoadState('networkidle');
    await page.waitForTimeout(500);
    expect(await alert.isVisible()).toBe(true);
    await assertComfortable();
    await shot('sign-in-refused-390-dark');
    await page.getByLabel('Email').fill(email);
    expect(await alert.isVisible()).toBe(true);
    await page.getByLabel('Password').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'The email or password is not right.' }).waitFor();
    expect(await alert.isVisible()).toBe(false);
    await leave();
  });

  test('an account elsewhere signs in by redirects, with no script of its own on the page', async () => {
    const { leave } = await visit({ width: 390, colorScheme: 'light' });
    await page.getByRole('button', { name: 'Continue with Google' }).click();
    await page.getByRole('heading', { name: 'Connect ChatGPT?' }).waitFor();
    await page.getByText('you, with your own health record').waitFor();
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.waitForURL(`${redirect}?**`);
    expect(new URL(page.url()).searchParams.get('code')).not.toBeNull();
    expect(problems).toEqual([]);
    await leave();
  });

  test('the password goes to the identity service alone', async () => {
    const { leave } = await visit({ width: 390, colorScheme: 'light' });
    const toUs: string[] = [];
    page.on('request', (request) => {
      if (new URL(request.url()).origin === server.issuer)
        toUs.push(`${request.url()} ${request.postData() ?? ''}`);
    });
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Connect ChatGPT?' }).waitFor();
    expect(toUs.join()).toContain('idToken=');
    expect(decodeURIComponent(toUs.join().replaceAll('+', ' '))).not.toContain(password);
    await leave();
  });

  test('saying no, or cancelling, goes back without a code', async () => {
    const { leave } = await visit({ width: 1280, colorScheme: 'light' });
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.waitForURL(`${redirect}?**`);
    expect(new URL(page.url()).searchParams.get('error')).toBe('access_denied');
    await leave();
  });

  test('a stale link ends at a page that says what to do', async () => {
    const { leave } = await visit({ width: 390, colorScheme: 'dark' });
    await page.goto(`${server.issuer}/oauth/interaction/unknown`);
    await page.getByRole('heading', { name: 'This page has expired' }).waitFor();
    await shot('expired-390-dark');
    await leave();
  });
});
