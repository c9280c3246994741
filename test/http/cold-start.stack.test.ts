import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Lists every module that a process has loaded once it has composed the house and answered at two addresses. */
const PROGRAM = `
import { registerHooks } from 'node:module';
const loaded = [];
registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
const { compose } = await import('./src/compose.ts');
const { readConfig } = await import('./src/config.ts');
const { createServer } = await import('node:http');
const key = { kty: 'EC', crv: 'P-256', kid: 'k1', alg: 'ES256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI' };
const config = readConfig({
  CHARTSEAL_ENV: 'development', CHARTSEAL_ORIGIN: 'http://127.0.0.1:8787', CHARTSEAL_STORE: 'postgres',
  CHARTSEAL_DATABASE_URL: 'postgres://n:n@127.0.0.1:9/n', CHARTSEAL_KMS: 'local',
  CHARTSEAL_LOCAL_KEYS: '1:' + 'ab'.repeat(32), CHARTSEAL_SIGNING_KEYS: JSON.stringify([key]),
  CHARTSEAL_COOKIE_KEYS: 'k'.repeat(32), CHARTSEAL_DOCUMENTS: '/nonexistent/documents', CHARTSEAL_FIREBASE_API_KEY: 'x', GCLOUD_PROJECT: 'demo-cold' });
const house = compose(config, { assets: new Map(), journal() {}, onFault() {} });
const server = createServer((req, res) => void house.handle(req, res)).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const origin = 'http://127.0.0.1:' + server.address().port;
const statuses = [];
for (const [path, method] of JSON.parse(process.argv[1]))
  statuses.push((await fetch(origin + path, { method })).status);
process.stdout.write(JSON.stringify({ statuses, loaded }));
process.exit(0);
`;

function loadedBy(requests: readonly (readonly [path: string, method: string])[]) {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', PROGRAM, JSON.stringify(requests)],
    { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8' },
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as { statuses: number[]; loaded: string[] };
}
const OAUTH =
  /node_modules\/(?:oidc-provider|koa|firebase-admin\/.*\/auth)|src\/oauth\/(?:authorization-server|provider)\.ts/;

test('a call of /mcp loads nothing of the authorization server', () => {
  const { statuses, loaded } = loadedBy([
    ['/mcp', 'POST'],
    ['/mcp', 'GET'],
    ['/.well-known/oauth-protected-resource/mcp', 'GET'],
  ]);
  expect(statuses).toEqual([401, 405, 200]);
  expect(loaded.some((url) => url.endsWith('src/http/mcp-endpoint.ts'))).toBe(true);
  expect(loaded.filter((url) => OAUTH.test(url))).toEqual([]);
});

test('its own addresses load it, so that the test above can fail', () => {
  const { statuses, loaded } = loadedBy([['/.well-known/oauth-authorization-server', 'GET']]);
  expect(statuses).toEqual([200]);
  expect(loaded.some((url) => OAUTH.test(url))).toBe(true);
});

test('neither health nor sign-in loads the policies; only a decision does', () => {
  const { loaded } = loadedBy([
    ['/healthz', 'GET'],
    ['/.well-known/oauth-authorization-server', 'GET'],
    ['/mcp', 'POST'],
  ]);
  expect(loaded.some((url) => url.endsWith('src/access/policy-engine.ts'))).toBe(true);
  expect(loaded.filter((url) => url.includes('cedar'))).toEqual([]);
});
