import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type ChosenStore, startStore } from '../../src/dev/store-choice.ts';
import type { Store } from '../../src/kernel/store.ts';
import { openFirestoreStore } from '../../src/storage/firestore/open-store.ts';
import { openPostgresStore } from '../../src/storage/postgres/open-store.ts';
import { describeOnBothStores } from '../stack/needs.ts';
import { authorizationRequest, connect, redeem, refresh, register } from './client.ts';
import { fakeSignIn } from './doubles.ts';
import { type RunningServer, startServer } from './server.ts';

const projectId = 'demo-oauth-state';

describeOnBothStores(
  (kind) => `the authorization server on real ${kind}`,
  (kind) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'chartseal-oauth-'));
    let chosen: ChosenStore;
    let store: Store;
    let server: RunningServer;
    let clientId: string;

    beforeAll(async () => {
      // As root, PostgreSQL runs as a user of its own, who must pass through.
      chmodSync(dataDir, 0o711);
      chosen = await startStore({ dataDir, projectId, kind });
      for (const [name, value] of Object.entries(chosen.env)) vi.stubEnv(name, value);
      store = openStore(chosen);
      server = await startServer({ store, signIn: fakeSignIn(['john']) });
      clientId = String((await register(server)).body['client_id']);
    });
    afterAll(async () => {
      await server?.close();
      await store?.close();
      await chosen?.close();
      vi.unstubAllEnvs();
      rmSync(dataDir, { recursive: true, force: true });
    });

    const grantOf = (accessToken: string | undefined): string =>
      String(decodeJwt(accessToken ?? '')['grant_id']);

    test('a code used three times at once gives tokens once', async () => {
      const request = authorizationRequest(server, clientId);
      const code = await connect(server, request);
      const answers = await Promise.all([1, 2, 3].map(() => redeem(server, request, code)));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    });

    test('two parallel refreshes both go on, and revoking one token ends the connection', async () => {
      const request = authorizationRequest(server, clientId);
      const first = await redeem(server, request, await connect(server, request));
      const grantId = grantOf(first.body.access_token);
      expect(await server.server.grants.isLive(grantId)).toBe(true);
      const old = first.body.refresh_token ?? '';
      const answers = await Promise.all([refresh(server, clientId, old), refresh(server, clientId, old)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      const token = answers[0]?.body.refresh_token ?? '';
      const revoked = await fetch(`${server.issuer}/oauth/revoke`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ token, client_id: clientId }).toString(),
      });
      expect(revoked.status).toBe(200);
      expect(await server.server.grants.isLive(grantId)).toBe(false);
      expect((await refresh(server, clientId, answers[1]?.body.refresh_token ?? '')).status).toBe(400);
      expect(server.faults).toEqual([]);
    });
  },
);

function openStore({ kind }: ChosenStore): Store {
  if (kind === 'firestore') return openFirestoreStore({ projectId });
  return openPostgresStore({ connectionString: String(process.env['CHARTSEAL_DATABASE_URL']) });
}
