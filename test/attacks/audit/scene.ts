import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { auditEvents, auditPending } from '../../../src/audit/append.ts';
import { formatCheckpoint, originOf } from '../../../src/audit/checkpoint.ts';
import { Checkpoints } from '../../../src/audit/checkpoints.ts';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { leafHash, leafOf } from '../../../src/audit/event.ts';
import { nodeSha256 } from '../../../src/audit/node-sha256.ts';
import { type CheckpointStore, Outside } from '../../../src/audit/outside.ts';
import { sequenceAll } from '../../../src/audit/sequencer.ts';
import { formatNote, noteKey } from '../../../src/audit/signed-note.ts';
import { statedKeys } from '../../../src/audit/signers.ts';
import { storeSource } from '../../../src/audit/store-source.ts';
import { auditEntries, auditHead, auditTiles, bundleRef, eventIdsOf } from '../../../src/audit/tree-store.ts';
import type { Report, VerdictName } from '../../../src/audit/verify/report.ts';
import { type VerifyOptions, verifyLog } from '../../../src/audit/verify/verify-log.ts';
import { type Collection, ref } from '../../../src/kernel/collection.ts';
import type { Store, TenantStore } from '../../../src/kernel/store.ts';
import { openLog, openWriter } from '../../audit/log-house.ts';

export const PROJECT = 'demo-chartseal';
export const MINUTE = 60_000;

/** Ed25519 keys as KMS has them: by id, the private half never shown. */
export function createSigner() {
  const keys = new Map<string, KeyObject>();
  return {
    sign: async (keyId: string, message: Uint8Array) => {
      const key = keys.get(keyId);
      if (key === undefined) throw new Error(`no key ${keyId}`);
      return new Uint8Array(sign(null, message, key));
    },
    create: (keyId: string) => {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      keys.set(keyId, privateKey);
      return {
        keyId,
        publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)),
      };
    },
  };
}

export function memoryOutside(): CheckpointStore & { readonly objects: Map<string, Uint8Array> } {
  const objects = new Map<string, Uint8Array>();
  return {
    objects,
    get: async (name) => objects.get(name) ?? null,
    putIfAbsent: async (name, bytes) => {
      if (objects.has(name)) return false;
      objects.set(name, bytes);
      return true;
    },
  };
}

export type Scene = Awaited<ReturnType<typeof openScene>>;

/**
 * A tenant's whole log on a real store: a writer, a sequencer, checkpoints outside, an auditor. `rows` are reached as
 * the database's owner does, whom no grant holds back.
 */
export async function openScene(store: Store, owner: Store, at: number = Date.now()) {
  const time = { now: at };
  const { tenant, log, journal, append } = openLog(store, () => time.now);
  const files = memoryOutside();
  const outside = new Outside(files);
  const signer = createSigner();
  const clock = () => time.now;
  const checkpoints = new Checkpoints({ store, outside, signer, clock, project: PROJECT });
  const key = signer.create('key-1');
  await checkpoints.addSigner(tenant, key);
  const rows = owner.tenant(tenant);
  const origin = originOf(PROJECT, tenant);
  const latest = async () => (await outside.latest(tenant, 'checkpoint'))?.bytes ?? null;
  return {
    store,
    owner,
    rows,
    tenant,
    time,
    log,
    journal,
    append,
    files,
    outside,
    signer,
    checkpoints,
    key,
    origin,
    latest,
    writer: (of: () => number = () => time.now) => openWriter(store, tenant, of),
    sequence: () => sequenceAll(store, tenant, { paceMs: 0 }),
    publish: () => checkpoints.publish(tenant),
    /** Sequences and signs, and returns the note, as an auditor who keeps a copy of it would. */
    settle: async (): Promise<Uint8Array> => {
      await sequenceAll(store, tenant, { paceMs: 0 });
      await checkpoints.publish(tenant);
      return (await latest()) ?? new Uint8Array();
    },
    verify: async (more: Partial<VerifyOptions> = {}): Promise<Report> => {
      const keys = await statedKeys({ store, outside, tenant, origin });
      return verifyLog(storeSource(rows), {
        tenant,
        origin,
        checkpoint: await latest(),
        keys,
        now: time.now,
        sha256: nodeSha256,
        ...more,
      });
    },
    /** Signs what it is told to, with the log's own key: an attacker who can use the key. */
    forge: async (size: number, root: Uint8Array, keyId = 'key-1', publicKey = key.publicKey) => {
      const text = formatCheckpoint({ origin, size, root, time: time.now });
      const { name, id } = noteKey(nodeSha256, { name: origin, publicKey });
      const signature = await signer.sign(keyId, Buffer.from(text));
      return formatNote({ text, signatures: [{ name, keyId: id, signature }] });
    },
  };
}

/** The verdicts that fail or could not be found, each with its first code: `{ inclusion: 'LEAF_CHANGED' }`. */
export function wrong(report: Report): Partial<Record<VerdictName, string>> {
  return Object.fromEntries(
    report.verdicts
      .filter(({ state }) => state === 'fail' || state === 'unknown')
      .map(({ name, state, findings }) => [
        name,
        state === 'unknown' ? 'unknown' : (findings[0]?.code ?? ''),
      ]),
  );
}

/** The id of the event at a place in the tree. */
export async function idAt(rows: TenantStore, index: number): Promise<string> {
  const [entries] = await rows.get(bundleRef(Math.floor(index / 256)));
  return eventIdsOf(entries)[index % 256] ?? '';
}

export async function eventAt(rows: TenantStore, index: number): Promise<AuditEvent> {
  const [row] = await rows.get(ref(auditEvents, await idAt(rows, index)));
  return JSON.parse(Buffer.from(row?.leaf ?? []).toString()) as AuditEvent;
}

/** Overwrites a stored event, as someone with the database's password can. */
export const overwrite = (rows: TenantStore, id: string, event: AuditEvent): Promise<void> =>
  rows.transact(async (tx) => tx.put(ref(auditEvents, id), { leaf: leafOf(event) }));

/** Puts an event and its twin into the store without any log knowing. */
export const smuggle = (rows: TenantStore, event: AuditEvent): Promise<void> =>
  rows.transact(async (tx) => {
    const leaf = leafOf(event);
    tx.create(ref(auditEvents, event.id), { leaf });
    tx.create(ref(auditPending, event.id), { leafHash: leafHash(leaf) });
  });

export const remove = (rows: TenantStore, of: Collection, id: string): Promise<void> =>
  rows.transact(async (tx) => tx.delete(ref(of, id)));

/** Everything that the log keeps in the store, and how to put it back. */
export async function backUp(rows: TenantStore): Promise<() => Promise<void>> {
  const all = await Promise.all(
    [auditEvents, auditPending, auditHead, auditTiles, auditEntries].map(async (of: Collection) => ({
      of,
      rows: await rows.list(of, { limit: 1000 }),
    })),
  );
  return async () => {
    for (const { of, rows: before } of all) {
      const now = await rows.list(of, { limit: 1000 });
      await rows.transact(async (tx) => {
        for (const { id } of now) tx.delete(ref(of, id));
        for (const { id, row } of before) tx.put(ref(of, id), row);
      });
    }
  };
}
