import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AuditLog } from '../../src/audit/append.ts';
import { Outside } from '../../src/audit/outside.ts';
import { type ConsoleOptions, createConsole } from '../../src/console/console.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import type { TenantId, UserId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { OAuthError } from '../../src/oauth/errors.ts';
import { createRateLimits } from '../../src/oauth/rate-limits.ts';
import type { SignIn } from '../../src/oauth/sign-in.ts';
import { memoryOutside, PROJECT } from '../attacks/audit/scene.ts';

const COOKIE_KEY = 'a-cookie-key-of-at-least-32-characters';

/** Id tokens are user ids of riverside: whoever names one has signed in, with one factor if it ends so. */
const signIn: SignIn = {
  verify: async (idToken) => {
    if (!idToken.startsWith('usr_')) throw new OAuthError('SIGN_IN_TOKEN', 'Sign in again.');
    const amr = idToken.endsWith('_nofactor') ? ['pwd'] : ['pwd', 'otp', 'mfa'];
    return { userId: idToken as UserId, tenant: 'riverside' as TenantId, authTime: 0, amr };
  },
  profile: async () => ({ email: null, emailVerified: false }),
};

/** The console over HTTP, on `store`. */
export async function serveConsole(options: {
  store: Store;
  outside?: Outside;
  clock?: Clock;
  assets?: ReadonlyMap<string, { body: Buffer; type: string }>;
  overrides?: Partial<ConsoleOptions>;
}) {
  const { store, clock = Date.now, assets } = options;
  const http = createServer((req, res) => {
    const asset = assets?.get(req.url ?? '');
    if (asset === undefined) void auditorConsole.handle(req, res);
    else
      res
        .writeHead(200, {
          'content-type': asset.type,
          'content-security-policy': "default-src 'none'; connect-src 'self'",
        })
        .end(asset.body);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const auditorConsole = createConsole({
    origin,
    store,
    clock,
    signIn,
    outside: options.outside ?? new Outside(memoryOutside()),
    projectId: PROJECT,
    audit: new AuditLog({ store, clock, journal: () => undefined }),
    cookieKeys: [COOKIE_KEY],
    pages: { script: '/assets/sign-in.js', style: '/assets/pages.css', name: 'Chartseal', apiKey: 'k' },
    withoutSecondFactor: [],
    keyStatus: () => Promise.reject(new Error('no keys here')),
    limits: createRateLimits({ store, key: COOKIE_KEY, now: clock }),
    proxyHops: 0,
    verifier: '',
    onFault: () => undefined,
    ...options.overrides,
  });
  const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${origin}${path}`, {
      method: 'POST',
      headers: { origin, 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body,
      redirect: 'manual',
    });
  return {
    origin,
    post,
    get: (path: string, cookie: string): Promise<Response> =>
      fetch(`${origin}${path}`, { headers: { cookie } }),
    /** The one cookie of somebody who signed in; empty when they were refused. */
    signIn: async (user: string): Promise<string> => {
      const answer = await post('/console/sign-in', `idToken=${user}`);
      return /__session=[^;]+/.exec(answer.headers.get('set-cookie') ?? '')?.[0] ?? '';
    },
    close: () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}
