import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { UnsecuredJWT } from 'jose';
import { type IdentityProvider, identityProvider } from '../../src/oauth/federation.ts';

/** A provider of identities, as Google is one: signs everybody in at once and answers with a code. */
export interface IdentityStub {
  readonly provider: IdentityProvider;
  /** The authorization requests it saw. */
  readonly asked: URLSearchParams[];
  /** What the next answers differ in. */
  change: { claims?: Record<string, unknown>; error?: string; status?: number };
  close(): void;
}

/** @param claims who signs in. */
export async function startIdentityStub(claims: Readonly<Record<string, unknown>>): Promise<IdentityStub> {
  const asked: URLSearchParams[] = [];
  const codes = new Map<string, URLSearchParams>();
  const server = createServer((req, res) => void serve(req.url ?? '/', req).then((answer) => answer(res)));
  type Answer = (res: import('node:http').ServerResponse) => void;
  const serve = async (path: string, req: NodeJS.ReadableStream): Promise<Answer> => {
    const url = new URL(path, 'http://stub');
    if (url.pathname === '/authorize') return authorize(url.searchParams);
    return token(new URLSearchParams(await text(req)));
  };
  const authorize = (params: URLSearchParams): Answer => {
    asked.push(params);
    const back = new URL(params.get('redirect_uri') ?? '');
    back.searchParams.set('state', params.get('state') ?? '');
    const code = `code-${codes.size}`;
    codes.set(code, params);
    if (stub.change.error === undefined) back.searchParams.set('code', code);
    else back.searchParams.set('error', stub.change.error);
    return (res) => void res.writeHead(302, { location: back.href }).end();
  };
  const token = (form: URLSearchParams): Answer => {
    const params = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const good =
      params?.get('code_challenge') === challenge &&
      form.get('client_secret') === 'stub-secret' &&
      form.get('redirect_uri') === params.get('redirect_uri');
    const status = stub.change.status ?? (good ? 200 : 400);
    const nonce = params?.get('nonce') ?? undefined;
    const id_token = new UnsecuredJWT({ ...claims, nonce, ...stub.change.claims }).encode();
    return (res) =>
      void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ id_token }));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const known = identityProvider({ id: 'google', clientId: 'stub-client', clientSecret: 'stub-secret' });
  const stub: IdentityStub = {
    provider: { ...known, authorizeUrl: `${origin}/authorize`, tokenUrl: `${origin}/token` },
    asked,
    change: {},
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return stub;
}
