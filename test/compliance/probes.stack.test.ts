import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { probeTransport } from '../../src/cli/probe-transport.ts';
import { COLLECTIONS } from '../../src/collections.ts';
import { assess } from '../../src/compliance/assess.ts';
import type { Facts } from '../../src/compliance/facts.ts';
import { startFirestoreEmulator } from '../../src/dev/backends/firestore-emulator.ts';
import { collection } from '../../src/kernel/collection.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { knockAtFirestore } from '../../src/storage/firestore/knock.ts';
import { ensureSchema } from '../../src/storage/postgres/ensure-schema.ts';
import { inspectPostgres } from '../../src/storage/postgres/inspect.ts';
import { firestoreHost } from '../stack/addresses.ts';
import { describeNeeding } from '../stack/needs.ts';
import { factsOf, soundStore } from './world.ts';

const DAY = 86_400_000;
const TENANT = 'riverside' as TenantId;
/** What turns red when these are the facts, all others being sound. */
const red = async (change: Partial<Facts>): Promise<string[]> =>
  assess({ ...(await factsOf(await soundStore())), ...change }).checks.flatMap(({ id, state }) =>
    state === 'not-satisfied' ? [id] : [],
  );

describe('the address, tried over TLS', () => {
  let folder: string;
  let pem: { key: string; cert: string };
  let servers: Server[] = [];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'chartseal-tls-'));
    const files = ['-keyout', join(folder, 'key'), '-out', join(folder, 'cert')];
    const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '90'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...files, ...name],
      {
        stdio: 'ignore',
      },
    );
    pem = {
      key: readFileSync(join(folder, 'key'), 'utf8'),
      cert: readFileSync(join(folder, 'cert'), 'utf8'),
    };
  });
  afterAll(() => {
    for (const server of servers) server.close();
    servers = [];
    rmSync(folder, { recursive: true, force: true });
  });

  async function serve(least: 'TLSv1' | 'TLSv1.2', header: string | null): Promise<string> {
    const options = { ...pem, minVersion: least, ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    const server = createServer(options, (_req, res) => {
      if (header !== null) res.setHeader('strict-transport-security', header);
      res.end('{}');
    });
    servers.push(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return `https://localhost:${(server.address() as AddressInfo).port}`;
  }
  const probe = (url: string, { trusted = true, at = Date.now() } = {}) =>
    probeTransport({ url, now: at, ...(trusted && { ca: pem.cert }) });

  test('a server of today is green', async () => {
    const transport = await probe(await serve('TLSv1.2', 'max-age=63072000; includeSubDomains'));
    expect(transport).toMatchObject({
      accepted: ['TLSv1.2', 'TLSv1.3'],
      refused: ['TLSv1', 'TLSv1.1'],
      certificate: { problem: null, daysLeft: 89 },
    });
    expect(await red({ transport })).toEqual([]);
  });

  test('an old protocol that is turned on is red', async () => {
    const transport = await probe(await serve('TLSv1', 'max-age=63072000'));
    expect(transport?.accepted).toEqual(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']);
    expect(await red({ transport })).toEqual(['tls-floor']);
  });

  test('a certificate that nobody signed, one about to end, and a missing header are red', async () => {
    const url = await serve('TLSv1.2', null);
    expect(await red({ transport: await probe(url, { trusted: false }) })).toEqual([
      'certificate',
      'strict-transport',
    ]);
    const later = await probe(url, { at: Date.now() + 80 * DAY });
    expect(await red({ transport: later })).toEqual(['certificate', 'strict-transport']);
    const elsewhere = await probe(url.replace('localhost', '127.0.0.1'));
    expect(elsewhere?.certificate.problem).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('where nothing answers, or no TLS is spoken, nothing is claimed', async () => {
    expect(await probe('https://127.0.0.1:1')).toBeNull();
    expect(await probe('http://127.0.0.1:1')).toBeNull();
  });
});

describe('PostgreSQL, as it tells of itself', () => {
  const { adminConnectionString, appConnectionString } = inject('postgres');
  const asOwner = async (statement: string): Promise<void> => {
    const client = new Client({ connectionString: adminConnectionString });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  const look = async (as = appConnectionString): Promise<Facts['database']> => ({
    kind: 'postgres',
    ...(await inspectPostgres(as, [...COLLECTIONS, ...own])),
  });
  /** Tables of this test alone: others run on the same database meanwhile. */
  const own = [
    collection('probeRows', { a: 'text' }),
    collection('probeLog', { a: 'text' }, { changes: 'never' }),
    collection('probeQueue', { a: 'text' }, { changes: 'delete-only' }),
  ];
  beforeAll(() => ensureSchema(adminConnectionString, [...COLLECTIONS, ...own]));
  afterAll(() => asOwner('DROP TABLE probe_rows, probe_log, probe_queue'));

  test('the server’s role is held back on every table', async () => {
    const database = await look();
    expect(database).toMatchObject({
      ...{ open: [], changeable: [], isLocal: true },
      role: { name: 'chartseal_app', isSuperuser: false, bypasses: false },
    });
    expect((database as { tables: number }).tables).toBeGreaterThanOrEqual(COLLECTIONS.length);
    expect(await red({ database })).toEqual([]);
  });

  test.each([
    ['ALTER TABLE probe_rows NO FORCE ROW LEVEL SECURITY', 'database-closed'],
    ['ALTER TABLE probe_rows DISABLE ROW LEVEL SECURITY', 'database-closed'],
    ['GRANT UPDATE ON probe_log TO chartseal_app', 'log-insert-only'],
    ['GRANT DELETE ON probe_log TO chartseal_app', 'log-insert-only'],
    ['GRANT TRUNCATE ON probe_queue TO chartseal_app', 'log-insert-only'],
    ['GRANT UPDATE ON probe_queue TO chartseal_app', 'log-insert-only'],
  ])('%s turns it red', async (sow, check) => {
    await asOwner(sow);
    const found = await red({ database: await look() });
    await asOwner('REVOKE TRUNCATE ON probe_queue FROM chartseal_app');
    await ensureSchema(adminConnectionString, own);
    expect(found).toEqual([check]);
    expect(await red({ database: await look() })).toEqual([]);
  });

  test('the owner’s own connection is no server’s', async () => {
    expect(await red({ database: await look(adminConnectionString) })).toEqual([
      'database-closed',
      'log-insert-only',
    ]);
  });

  test('one that does not answer is an error, in words without its address', async () => {
    const gone = inspectPostgres('postgres://chartseal_app:secret-word@127.0.0.1:1/x', COLLECTIONS);
    await expect(gone).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret-word') }),
    );
  });
});

describeNeeding('firestore', 'Firestore, knocked at without credentials', () => {
  const projectId = 'demo-knock';

  test('the rules that are deployed refuse', async () => {
    const emulatorHost = firestoreHost();
    const anonymous = await knockAtFirestore({ projectId, tenant: TENANT, emulatorHost });
    expect(Object.values(anonymous ?? {})).toEqual([403, 403, 403, 403]);
    expect(await red({ database: { kind: 'firestore', anonymous } })).toEqual([]);
  });

  test('an open rule is red', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chartseal-rules-'));
    const rules = join(folder, 'open.rules');
    const sound = readFileSync(join(import.meta.dirname, '../../firestore.rules'), 'utf8');
    writeFileSync(rules, sound.replace('allow read, write: if false', 'allow read: if true'));
    const emulator = await startFirestoreEmulator({ rules });
    const emulatorHost = `${emulator.host}:${emulator.port}`;
    const knocked = knockAtFirestore({ projectId, tenant: TENANT, emulatorHost });
    const anonymous = await knocked.finally(() => emulator.close());
    rmSync(folder, { recursive: true });
    expect(await red({ database: { kind: 'firestore', anonymous } })).toEqual(['database-closed']);
  });

  test('where nothing answers nothing is claimed', async () => {
    expect(await knockAtFirestore({ projectId, tenant: TENANT, emulatorHost: '127.0.0.1:1' })).toBeNull();
  });
});
