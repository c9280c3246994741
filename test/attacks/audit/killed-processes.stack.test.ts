import { execFile } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { auditPending } from '../../../src/audit/append.ts';
import { originOf } from '../../../src/audit/checkpoint.ts';
import { Checkpoints } from '../../../src/audit/checkpoints.ts';
import { nodeSha256 } from '../../../src/audit/node-sha256.ts';
import { Outside } from '../../../src/audit/outside.ts';
import { sequenceAll } from '../../../src/audit/sequencer.ts';
import { statedKeys } from '../../../src/audit/signers.ts';
import { storeSource } from '../../../src/audit/store-source.ts';
import { verifyLog } from '../../../src/audit/verify/verify-log.ts';
import type { TenantId } from '../../../src/kernel/ids.ts';
import { type Store, StoreError } from '../../../src/kernel/store.ts';
import { openCheckpointFolder } from '../../../src/storage/checkpoints/folder.ts';
import { openLog, readTree } from '../../audit/log-house.ts';
import { openStore, STORES } from '../../audit/stores.ts';
import { addressOf } from '../../stack/addresses.ts';
import type { Dying } from './dying-process.ts';
import { PROJECT, wrong } from './scene.ts';

const SCRIPT = join(import.meta.dirname, 'dying-process.ts');

describe.each(STORES)('processes killed at the worst moment, on real %s', (kind) => {
  let store: Store;
  let folder: string;
  beforeAll(async () => {
    store = await openStore(kind);
  });
  afterAll(async () => store?.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'chartseal-checkpoints-'));
    return () => rmSync(folder, { recursive: true, force: true });
  });

  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key = {
    keyId: 'key-1',
    publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)),
  };
  const signer = {
    sign: async (_keyId: string, message: Uint8Array) => new Uint8Array(sign(null, message, privateKey)),
  };

  async function dieAt(at: Dying['at'], tenant: string): Promise<NodeJS.Signals | null> {
    const dying: Dying = {
      at,
      tenant,
      store: { kind, address: addressOf(kind) },
      folder,
      project: PROJECT,
      privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    };
    const env = { ...process.env, DYING: JSON.stringify(dying), METADATA_SERVER_DETECTION: 'none' };
    return new Promise((resolve, reject) => {
      execFile(process.execPath, [SCRIPT], { env, timeout: 40_000 }, (error, _out, err) => {
        if (error?.signal === 'SIGKILL' && error.killed !== true) resolve('SIGKILL');
        else reject(new Error(`It was not killed at that point: ${err}`));
      });
    });
  }

  /** Firestore holds what a dead transaction had read for up to a minute; until then the sequencer is told to wait. */
  async function sequenceInTime(tenant: TenantId): Promise<number> {
    for (const end = Date.now() + 100_000; ; ) {
      try {
        return await sequenceAll(store, tenant, { paceMs: 0 });
      } catch (error) {
        if (!(error instanceof StoreError && error.retryable) || Date.now() > end) throw error;
      }
    }
  }

  test.each(['before-commit', 'after-commit'] as const)(
    'the sequencer, %s',
    { timeout: 130_000 },
    async (at) => {
      const { tenant, journal, append } = openLog(store);
      await append(5);
      expect(await dieAt(at, tenant)).toBe('SIGKILL');
      const left = at === 'before-commit' ? 5 : 0;
      expect(await store.tenant(tenant).list(auditPending, { limit: 10 })).toHaveLength(left);
      await append(2);
      await sequenceInTime(tenant);
      expect(await store.tenant(tenant).list(auditPending, { limit: 10 })).toEqual([]);
      expect((await readTree(store, tenant)).sort()).toEqual(journal.map(({ id }) => id).sort());
    },
  );

  test('the publisher, after signing: the next one signs again and the log holds', async () => {
    const { tenant, journal, append } = openLog(store);
    const outside = new Outside(openCheckpointFolder(folder));
    const checkpoints = new Checkpoints({ store, outside, signer, clock: Date.now, project: PROJECT });
    await checkpoints.addSigner(tenant, key);
    await append(3);
    await sequenceAll(store, tenant, { paceMs: 0 });
    await checkpoints.publish(tenant);
    await append(2);
    await sequenceAll(store, tenant, { paceMs: 0 });
    expect(await dieAt('after-signing', tenant)).toBe('SIGKILL');
    expect((await outside.latest(tenant, 'checkpoint'))?.number).toBe(1);
    expect(await checkpoints.publish(tenant)).toMatchObject({ number: 2, checkpoint: { size: 5 } });
    const origin = originOf(PROJECT, tenant);
    const report = await verifyLog(storeSource(store.tenant(tenant)), {
      tenant,
      origin,
      checkpoint: (await outside.latest(tenant, 'checkpoint'))?.bytes ?? null,
      earlier: [(await outside.read(tenant, 'checkpoint', 1)) ?? new Uint8Array()],
      keys: await statedKeys({ store, outside, tenant, origin }),
      journal,
      now: Date.now(),
      sha256: nodeSha256,
    });
    expect(wrong(report)).toEqual({});
    expect(report.covered).toBe(5);
  });
});
