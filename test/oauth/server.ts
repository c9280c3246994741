import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Store } from '../../src/kernel/store.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  createAuthorizationServer,
} from '../../src/oauth/authorization-server.ts';
import { developmentOnly } from '../../src/oauth/development.ts';
import type { SignIn } from '../../src/oauth/sign-in.ts';
import { clinicOf } from './doubles.ts';

export const SCOPES = {
  'patient/Patient.rs': 'See your name and contact details',
  'patient/Appointment.crus': 'See, book and change your visits',
  offline_access: 'Stay connected until you disconnect it',
};

/** An authorization server listening on loopback, as the development stack has it. */
export interface RunningServer {
  readonly issuer: string;
  readonly resource: string;
  readonly server: AuthorizationServer;
  readonly faults: { name: string; code: string }[];
  close(): Promise<void>;
}

export async function newSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: crypto.randomUUID() };
}

export async function startServer(options: {
  store: Store;
  signIn: SignIn;
  overrides?: Partial<AuthorizationServerOptions>;
  /** Reads each body beforehand, as Cloud Functions does. */
  bodiesRead?: boolean;
  /** Files served beside the server, as the http layer does. */
  assets?: ReadonlyMap<string, { body: Buffer; type: string }>;
}): Promise<RunningServer> {
  let server: AuthorizationServer | undefined;
  const serve = async (req: IncomingMessage): Promise<IncomingMessage> =>
    options.bodiesRead === true ? Object.assign(req, { body: {}, rawBody: await buffer(req) }) : req;
  const http = createServer((req, res) => {
    const asset = options.assets?.get(req.url ?? '');
    if (asset !== undefined) {
      res.writeHead(200, { 'content-type': asset.type }).end(asset.body);
      return;
    }
    void serve(req).then((request) => server?.handle(request, res));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const faults: RunningServer['faults'] = [];
  server = createAuthorizationServer({
    issuer,
    resource: `${issuer}/mcp`,
    scopes: SCOPES,
    store: options.store,
    signingKeys: [await newSigningKey()],
    cookieKeys: ['a-cookie-key-of-at-least-32-characters'],
    signIn: options.signIn,
    people: clinicOf(),
    pages: { script: '/assets/sign-in.js', style: '/assets/pages.css', name: 'Chartseal', apiKey: 'demo' },
    onFault: (fault) => faults.push(fault),
    [developmentOnly]: true,
    ...options.overrides,
  });
  return {
    issuer,
    resource: `${issuer}/mcp`,
    server,
    faults,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}
