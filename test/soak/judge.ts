import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Checkpoints } from '../../src/audit/checkpoints.ts';
import { outsideEvidence } from '../../src/audit/evidence.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import { Outside } from '../../src/audit/outside.ts';
import { sequenceAll } from '../../src/audit/sequencer.ts';
import { storeSource } from '../../src/audit/store-source.ts';
import { verifyLog } from '../../src/audit/verify/verify-log.ts';
import { cloudTrailOf, journalOf } from '../../src/cli/audit-inputs.ts';
import { idempotency } from '../../src/clinic/idempotency.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { KmsSigner } from '../../src/crypto/kms-signer.ts';
import type { KmsTenantKeys } from '../../src/crypto/kms-tenant-keys.ts';
import { partsOfKeyVersion, patientKeys, patientKeyVersions } from '../../src/crypto/patient-keys.ts';
import { keyVersionOf } from '../../src/crypto/sealed-value.ts';
import { storedDigests } from '../../src/crypto/stored-digests.ts';
import type { PatientId, TenantId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';
import { workJob } from '../../src/lifecycle/jobs/worker.ts';
import { openCheckpointFolder } from '../../src/storage/checkpoints/folder.ts';
import { allRows, BY, type KeyHouse, textOf } from '../lifecycle/key-house.ts';
import { judgeErasures } from './erasures.ts';
import { openScene, ROOT, type Scene } from './scene.ts';
import type { Witnessed } from './soak.ts';

/** Something that must not be. */
export interface Finding {
  readonly what: string;
  readonly where: string;
}

interface Ended {
  readonly scene: Scene;
  readonly store: Store;
  readonly keyring: Keyring;
  readonly admin: KmsTenantKeys;
  readonly trail: string;
  readonly kmsUrl: string;
  readonly witnessed: Witnessed;
  readonly broken: readonly string[];
}

/** Finishes the jobs that are open, and then looks at everything: charts, counts, headers, keys, bookings, the log. */
export async function judge(ended: Ended): Promise<Finding[]> {
  const house = await openScene(ended.scene, ended.store);
  const findings: Finding[] = ended.broken.map((where) => ({ what: 'a process failed by itself', where }));
  const find = (what: string, where: string): void => void findings.push({ what, where });
  if ((await judgeErasures(house, ended.scene, find)) === 0) find('nobody was erased', ended.scene.tenant);
  await finishJobs(house, find);
  await judgeKeys(house, find);
  await judgeCharts(house, ended, find);
  await judgeLog(house, ended, find);
  return findings;
}

type Find = (what: string, where: string) => void;

async function finishJobs(house: KeyHouse, find: Find): Promise<void> {
  const { rotations, tenant } = house;
  for (const { id, state } of await rotations.jobs.list(tenant))
    if (state === 'running') await workJob(rotations.jobs, tenant, id);
  // What was begun before a kill without a job of its own is finished by the next of its kind.
  const last = [
    await rotations.reencrypt(tenant, { by: BY, before: 0 }),
    await rotations.rewrap(tenant, { by: BY }),
  ];
  for (const id of last) {
    const { kind, state, left, aside } = await workJob(rotations.jobs, tenant, id);
    if (state !== 'done') find('a job did not end well', `${kind} ${state} left ${left} aside ${aside}`);
  }
}

async function judgeKeys(house: KeyHouse, find: Find): Promise<void> {
  const { store, tenant } = house;
  const current = new Map<string, number>();
  for (const { id, row } of await allRows(store, tenant, patientKeys)) {
    current.set(id, row.current);
    if (row.state !== 'active' || row.minSeal !== row.current) find('a rotation is not over', id);
  }
  for (const [patient, versions] of await house.headers())
    for (const version of versions)
      if (version !== current.get(patient)) find('an old header is left', `${patient} ${version}`);
  for (const { id, row } of await allRows(store, tenant, idempotency))
    if (keyVersionOf(row.sealed) !== current.get(row.patient)) find('an old answer is left', id);
  const { material } = await house.rotations.wrappingTarget(tenant);
  for (const { id, row } of await allRows(store, tenant, patientKeyVersions)) {
    const { patient, version } = partsOfKeyVersion(id);
    if (version !== current.get(patient)) find('an old wrapped key is left', id);
    if (row.material !== material) find('a key is wrapped by an old generation', id);
  }
}

async function judgeCharts(house: KeyHouse, { scene, witnessed }: Ended, find: Find): Promise<void> {
  house.cache.flush('');
  const { firstSlot } = scene;
  for (const patient of scene.patients as readonly PatientId[]) {
    const of = { tenant: scene.tenant as TenantId, patient };
    const count = Number(await textOf(house, of, 'count').catch((error: unknown) => `${error}`));
    const { acked, open } = witnessed.writes.get(patient) ?? { acked: 0, open: 0 };
    if (!(count >= acked && count <= acked + open))
      find(
        'a chart does not hold what was acknowledged',
        `${patient}: ${count}, not ${acked} to ${acked + open}`,
      );
    if ((await textOf(house, of, 'still')) !== 'still') find('a value changed', patient);
    const visits = (await house.visits.all(of))?.visits ?? [];
    const starts = new Set(visits.map(({ appointment }) => `${patient} ${appointment.start}`));
    if (starts.size !== visits.length) find('a slot is booked twice', patient);
    const mine = [...witnessed.booked].filter((one) => one.startsWith(`${patient} `));
    for (const one of mine) if (!starts.has(one)) find('an acknowledged booking is gone', one);
    const most = mine.length + (witnessed.openBookings.get(patient) ?? 0);
    if (visits.length > most) find('there are more bookings than were asked for', patient);
  }
  await judgeTimes(house, { scene, firstSlot }, find);
}

/** Every half hour that is taken belongs to one visit, and every visit has its half hour. */
async function judgeTimes(
  house: KeyHouse,
  { scene, firstSlot }: { scene: Scene; firstSlot: number },
  find: Find,
): Promise<void> {
  const taken = await house.rows.busy(['dr'], { from: firstSlot, to: firstSlot + 30 * 86_400_000 });
  let visits = 0;
  for (const patient of scene.patients as readonly PatientId[])
    visits += (await house.visits.all({ tenant: house.tenant, patient }))?.visits.length ?? 0;
  const bookings = new Set(taken.map(({ booking }) => booking));
  if (bookings.size !== visits || taken.length !== visits)
    find('times and visits do not agree', `${taken.length} times, ${visits} visits`);
}

async function judgeLog(house: KeyHouse, ended: Ended, find: Find): Promise<void> {
  const { scene, store, trail, admin, kmsUrl } = ended;
  const folder = mkdtempSync(join(tmpdir(), 'chartseal-soak-notes-'));
  try {
    const { tenant } = house;
    const outside = new Outside(openCheckpointFolder(folder));
    const signer = new KmsSigner({ endpoint: kmsUrl, ...ROOT });
    const project = 'soak';
    const checkpoints = new Checkpoints({ store, outside, signer, clock: Date.now, project, witnesses: [] });
    await sequenceAll(store, tenant, { paceMs: 0 });
    const keyId = await admin.signingKey(tenant);
    await checkpoints.addSigner(tenant, { keyId, publicKey: await signer.publicKey(keyId) });
    await checkpoints.publish(tenant);
    const { origin, checkpoint, keys } = await outsideEvidence(
      { store, outside, projectId: project },
      tenant,
    );
    const rows = store.tenant(tenant);
    const report = await verifyLog(storeSource(rows), {
      ...{ tenant, origin, checkpoint, keys, now: Date.now() + 180_000, sha256: nodeSha256 },
      stored: storedDigests(rows),
      journal: journalOf(scene.journal, tenant),
      keyUse: cloudTrailOf(trail),
    });
    const named = new Set<string | undefined>((await house.events()).map(({ patient }) => patient));
    for (const { name, state, summary, findings } of report.verdicts) {
      const wrong = findings.filter((finding) => !isCutShort(finding, named));
      if (state === 'fail' && wrong.length > 0)
        find(`the log does not hold: ${name}`, `${summary} ${JSON.stringify(wrong.slice(0, 5))}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A first key whose maker was killed before the transaction that makes its chart, of which no event could tell. */
const isCutShort = (
  { code, at }: { readonly code: string; readonly at: string },
  named: ReadonlySet<string | undefined>,
): boolean => code === 'KMS_WITHOUT_EVENT' && !named.has(at.split(' ')[0]);
