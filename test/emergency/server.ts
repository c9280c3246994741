import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AliasOf, EmergencyOpenings } from '../../src/access/emergency-openings.ts';
import { EmergencyReviews } from '../../src/access/emergency-reviews.ts';
import type { VisitedPage } from '../../src/dev/user-agent/browser.ts';
import { createEmergencyPages, type EmergencyPagesOptions } from '../../src/emergency/emergency.ts';
import type { TenantId, UserId } from '../../src/kernel/ids.ts';
import { OAuthError } from '../../src/oauth/errors.ts';
import type { SignIn } from '../../src/oauth/sign-in.ts';
import { openClinic } from '../access/people.ts';
import { pageGround } from '../stack/own-pages.ts';
import { visitorOf } from '../stack/visitor.ts';

/** Id tokens are user ids: whoever names one has signed in, `usr_…` at riverside and `lak_…` at lakeside. */
const signIn: SignIn = {
  verify: async (idToken) => {
    if (!/^(?:usr|lak)_/.test(idToken)) throw new OAuthError('SIGN_IN_TOKEN', 'Sign in again.');
    const tenant = (idToken.startsWith('lak') ? 'lakeside' : 'riverside') as TenantId;
    const amr = idToken.endsWith('_nofactor') ? ['pwd'] : ['pwd', 'otp', 'mfa'];
    return { userId: idToken as UserId, tenant, authTime: 0, amr };
  },
  profile: async () => ({ email: null, emailVerified: false }),
};

/** The emergency pages over HTTP, on a clinic in memory. */
export async function startEmergency(
  options: {
    overrides?: Partial<EmergencyPagesOptions>;
    assets?: ReadonlyMap<string, { body: Buffer; type: string }>;
  } = {},
) {
  const clinic = await openClinic();
  const { store, services, secrets, index } = clinic;
  const { audit, clock, policies, patients } = services;
  const aliasOf: AliasOf = (of) => patients.aliasOf(of);
  const stands = { store, audit, clock, policies, secrets, aliasOf };
  const faults: unknown[] = [];
  let pages: ReturnType<typeof createEmergencyPages> | undefined;
  const server = createServer((req, res) => {
    const asset = options.assets?.get(req.url ?? '');
    if (asset === undefined) void pages?.handle(req, res);
    else res.writeHead(200, { 'content-type': asset.type }).end(asset.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  pages = createEmergencyPages({
    ...pageGround({ store, audit, clock, origin, faults }),
    signIn,
    openings: new EmergencyOpenings({
      ...stands,
      onAlert: (alert) => clinic.alerts.push(alert),
    }),
    reviews: new EmergencyReviews(stands),
    find: (tenant, by) => index.find(tenant, by),
    ...options.overrides,
  });
  const visitor = () => visitorOf(origin, '/emergency');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { ...clinic, origin, faults, visitor, close };
}

/** What a clinician types to open John's chart. */
export const JOHN_TYPED = {
  family: 'Doe',
  given: 'John',
  birthDate: '1968-04-12',
  mrn: '',
  handle: '',
  reason: 'danger-to-life',
  words: 'Found unconscious at the reception.',
  minutes: '30',
};

export const headingOf = (page: VisitedPage): string => /<h1>([^<]*)<\/h1>/.exec(page.html)?.[1] ?? '';
export const handleOf = (page: VisitedPage): string =>
  /<output class="handle">([^<]*)</.exec(page.html)?.[1] ?? '';
