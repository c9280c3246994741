import { auditEvents } from '../../src/audit/append.ts';
import { Checkpoints } from '../../src/audit/checkpoints.ts';
import { leafHash, leafOf } from '../../src/audit/event.ts';
import { outsideEvidence } from '../../src/audit/evidence.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import { Outside } from '../../src/audit/outside.ts';
import { storeSource } from '../../src/audit/store-source.ts';
import { growTiles } from '../../src/audit/tiles.ts';
import { auditEntries, auditHead, auditTiles } from '../../src/audit/tree-store.ts';
import { verifyLog } from '../../src/audit/verify/verify-log.ts';
import { setUpClinic } from '../../src/clinic/tenants.ts';
import { DEMO_CLINICS } from '../../src/dev/clinics.ts';
import { buildWebAssets } from '../../src/dev/web-assets.ts';
import { type Ref, ref } from '../../src/kernel/collection.ts';
import type { PatientAlias, TenantId, UserId } from '../../src/kernel/ids.ts';
import type { TenantStore } from '../../src/kernel/store.ts';
import { createSigner, memoryOutside, PROJECT } from '../attacks/audit/scene.ts';
import { hasher } from '../audit/log-house.ts';
import { putMember } from '../doubles/members.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { serveConsole } from './server.ts';

const tenant = 'riverside' as TenantId;
const auditor = 'usr_auditor' as UserId;
const OPERATIONS = ['getPatient', 'listMedications', 'findOpenSlots', 'scheduleAppointment'];
const BATCH = 400;

/** The console over a signed log of `count` events in memory: what it takes when the store takes no time. */
export async function openBigConsole(count: number) {
  const store = createMemoryStore();
  const [demo] = DEMO_CLINICS;
  if (demo === undefined) throw new Error('no clinic');
  const { name, phone, zone } = demo;
  await setUpClinic(store, tenant, { ...demo, clinic: { name, phone, zone, keyId: 'k', state: 'active' } });
  await putMember(store, tenant, { user: auditor, role: 'auditor', patient: null });
  await writeLog(store.tenant(tenant), count);
  const outside = new Outside(memoryOutside());
  const signer = createSigner();
  const checkpoints = new Checkpoints({ store, outside, signer, clock: Date.now, project: PROJECT });
  await checkpoints.addSigner(tenant, signer.create('key-1'));
  await checkpoints.publish(tenant);
  const assets = await buildWebAssets();
  const served = await serveConsole({ store, outside, assets });
  return {
    origin: served.origin,
    /** The session's cookie of an auditor who signed in. */
    signIn: async (): Promise<string> => (await served.signIn(auditor)).replace('__session=', ''),
    /** The same verification in this process, in ms. */
    verifyHere: async (): Promise<number> => {
      const evidence = await outsideEvidence({ store, outside, projectId: PROJECT }, tenant);
      const start = performance.now();
      await verifyLog(storeSource(store.tenant(tenant)), {
        ...evidence,
        earlier: [],
        tenant,
        now: Date.now(),
        sha256: nodeSha256,
      });
      return performance.now() - start;
    },
    close: served.close,
  };
}

/** Leaves, tiles, bundles and head, as the sequencer would have left them. */
async function writeLog(rows: TenantStore, count: number): Promise<void> {
  const start = Date.now() - count * 100;
  const puts: [Ref, Record<string, unknown>][] = [];
  const hashes: Uint8Array[] = [];
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const leaf = eventAt(index, { start, before: hashes.at(-1) });
    hashes.push(leafHash(leaf));
    ids.push(idOf(index));
    // Bytes of its own: a view of Node's pool would be cloned with all of the pool.
    puts.push([ref(auditEvents, idOf(index)), { leaf: new Uint8Array(leaf) }]);
  }
  for (const { level, index, hashes: tile } of growTiles(hasher, {
    size: 0,
    leafHashes: hashes,
    edge: () => new Uint8Array(),
  }))
    puts.push([ref(auditTiles, `${level}-${index}`), { hashes: tile }]);
  for (let bundle = 0; bundle * 256 < count; bundle += 1)
    puts.push([
      ref(auditEntries, String(bundle)),
      { events: ids.slice(bundle * 256, bundle * 256 + 256).join('\n') },
    ]);
  puts.push([ref(auditHead, 'head'), { size: count }]);
  for (let from = 0; from < puts.length; from += BATCH)
    await rows.transact(async (tx) => {
      for (const [at, row] of puts.slice(from, from + BATCH)) tx.put(at, row as never);
    });
}

const idOf = (index: number): string => `ev_${String(index).padStart(22, '0')}`;

const eventAt = (
  index: number,
  { start, before }: { start: number; before: Uint8Array | undefined },
): Buffer =>
  leafOf({
    id: idOf(index),
    tenant,
    recorded: new Date(start + index * 100).toISOString(),
    action: 'R',
    operation: OPERATIONS[index % OPERATIONS.length] ?? '',
    outcome: index % 50 === 0 ? '4' : '0',
    ...(index % 50 === 0 ? { reason: 'NOT_FOUND' } : {}),
    actor: { user: `usr_${index % 300}`, role: 'clinician', client: 'client_0123456789abcdef' },
    patient: `pa_${String(index % 5_000).padStart(22, '0')}` as PatientAlias,
    entity: { resource: 'Patient', fields: ['demographics.name', 'clinical.medications'] },
    purposeOfUse: 'TREAT',
    policy: 'care-team',
    writer: {
      boot: `wr_${Math.floor(index / 10_000)}`,
      count: (index % 10_000) + 1,
      confirmed:
        before === undefined || index % 10_000 === 0 ? [] : [Buffer.from(before).toString('base64url')],
      abandoned: [],
    },
  });
