import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { putRelationship } from '../../src/access/relationships.ts';
import type { AuditEntry } from '../../src/audit/append.ts';
import { AuditLog, auditEvents } from '../../src/audit/append.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { Outside } from '../../src/audit/outside.ts';
import { Documents } from '../../src/clinic/documents/documents.ts';
import type { ObjectStore } from '../../src/clinic/documents/object-store.ts';
import { importPatient } from '../../src/clinic/import-patient.ts';

import { DEFAULT_KEY_CACHE, KeyCache } from '../../src/crypto/key-cache.ts';
import { LocalKeyring, localKeyId } from '../../src/crypto/local-keyring.ts';
import { PatientKeys, type PatientRef } from '../../src/crypto/patient-keys.ts';
import { SealedCharts } from '../../src/crypto/sealed-charts.ts';
import { TenantSecrets } from '../../src/crypto/tenant-secrets.ts';
import type { Ref } from '../../src/kernel/collection.ts';
import type { TenantId, UserId } from '../../src/kernel/ids.ts';
import type { Store, TenantStore, Transaction } from '../../src/kernel/store.ts';
import type { ErasureParts } from '../../src/lifecycle/erasure/erase.ts';
import { privacyRound } from '../../src/lifecycle/privacy-round.ts';
import type { RequestKind } from '../../src/lifecycle/requests/request.ts';
import { Requests } from '../../src/lifecycle/requests/requests.ts';
import { REQUEST_LIMITS, type Step } from '../../src/lifecycle/requests/rules.ts';
import { CardVault } from '../../src/payments/card-vault.ts';
import { memoryOutside } from '../attacks/audit/scene.ts';
import { NOON, openClinic } from '../clinic/house.ts';
import { putMember } from '../doubles/members.ts';
import { memoryObjects } from '../doubles/memory-objects.ts';

const BUNDLE = join(import.meta.dirname, '../../emulator-data/john-doe.json');
/** Planted in the chart and in what people wrote; must be nowhere after an erasure. */
export const PLANTED = [
  'zanzibarine',
  'Quagmire',
  'RV-PLANTED-1',
  'planted@example.com',
  '617-555-0999',
  '4111111111111111',
  'tuberous-sclerosis',
] as const;
const CARD = PLANTED[5];
export const ENTRY: AuditEntry = {
  action: 'U',
  operation: 'test',
  outcome: '0',
  actor: { user: 'usr', role: 'patient', client: 'c' },
  purposeOfUse: 'PATRQT',
  policy: 'test',
};

const LETTER = { title: `Letter on ${PLANTED[6]}`, kind: 'letter', addedBy: 'patient' } as const;
async function* textOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** A clinic on any store, whose patients can be exported and erased, and a clock that a test turns. */
export async function openPrivacy(
  store: Store,
  known: { tenant?: TenantId; outside?: Outside | null; objects?: ObjectStore } = {},
) {
  const clinic = await openClinic(store, known.tenant);
  const { tenant, clock } = clinic;
  const now = (): number => clock.now;
  const options = {
    ...{ store, clock: Date.now, tenantKeyId: async () => localKeyId(1) },
    keyring: new LocalKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]),
    cache: new KeyCache(DEFAULT_KEY_CACHE, Date.now),
  };
  const keys = new PatientKeys(options);
  const secrets = new TenantSecrets(options);
  const mine = new SealedCharts({ store, keys });
  const audit = new AuditLog({ store, clock: Date.now, journal: () => undefined });
  const requests = new Requests({ store, charts: mine, secrets });
  const vault = new CardVault({ ...options, secrets, audit });
  const forgotten: string[] = [];
  const parts: ErasureParts = {
    ...{ store, charts: mine, keys, secrets, requests, audit, clock: now },
    objects: known.objects ?? memoryObjects(),
    rules: { recordMs: 0, backupMs: 35 * 86_400_000 },
    outside: known.outside === undefined ? new Outside(memoryOutside()) : known.outside,
    forgetAccount: async (_tenant, user) => {
      forgotten.push(user);
    },
  };
  const documents = new Documents(parts);
  const reader = store.tenant(tenant);
  const faults: unknown[] = [];
  const round = (change: Partial<ErasureParts> = {}) =>
    privacyRound({ ...parts, ...change }, [tenant], { onFault: (error) => faults.push(error) });
  /** A round whose process dies once it has made so many commits. */
  const dyingRound = (commits: number) => {
    const mortal = watchCommits(store, {
      before: (count) => {
        if (count > commits) throw new Error('killed');
      },
    });
    const log = new AuditLog({ store: mortal, clock: Date.now, journal: () => undefined });
    return round({ store: mortal, audit: log });
  };

  const start = async (of: PatientRef, kind: RequestKind, words: string | null = null) => {
    const draft = audit.draft(tenant);
    const started = await requests.start({
      ...{ of, kind, words, about: null, now: now(), user: 'usr' as UserId },
      audit: {
        draft,
        write: (tx, { alias: patient, written }) =>
          draft.write(tx, { ...ENTRY, patient, ...(written === undefined ? {} : { written }) }),
      },
    });
    draft.confirm();
    return started.request.id;
  };
  const step = async (of: PatientRef, id: string, ...steps: Step[]) => {
    for (const one of steps)
      await requests.advance({ ...{ of, id, step: one, now: now(), audit }, entry: ENTRY });
  };
  /** An erasure that has cooled off: the next round begins it. */
  const approved = async (of: PatientRef) => {
    const id = await start(of, 'erasure');
    const approve = (by: string): Step => ({ step: 'approve', by });
    await step(of, id, { step: 'confirm' }, approve('usr_a'), approve('usr_b'));
    clock.now += REQUEST_LIMITS.coolingMs;
    return id;
  };
  /** A patient of whom the log tells everything. */
  const imported = async (text = readFileSync(BUNDLE, 'utf8')): Promise<PatientRef> => {
    const { patient } = await importPatient(text, { tenant, patients: clinic.patients, audit, by: 'test' });
    return { tenant, patient };
  };
  /** A patient whose chart, requests and visits hold what is planted, with an account, a proxy and a place in the queue. */
  const plant = async () => {
    clock.now = NOON;
    const text = readFileSync(BUNDLE, 'utf8')
      .replaceAll('"Doe"', '"Quagmire"')
      .replaceAll(/RV-\d+/g, 'RV-PLANTED-1')
      .replaceAll(/[\w.]+@example\.com/g, 'planted@example.com')
      .replaceAll(/617-555-\d{4}/g, '617-555-0999');
    const of = await imported(text);
    const { patient } = of;
    await putMember(store, tenant, { user: 'usr_planted' as UserId, role: 'patient', patient });
    await reader.transact(async (tx) =>
      putRelationship(tx, { user: 'usr_p' as UserId, patient, kind: 'proxy', expiresAt: clock.now + 1e9 }),
    );
    await clinic.book(of, clinic.slot('2026-12-08T09:00'), { reason: 'A zanzibarine rash' });
    await clinic.book(of, clinic.slot('2026-12-08T10:00'));
    await clinic.cancel(of);
    await documents.add(
      of,
      { ...LETTER, bytes: textOf(`A letter on ${PLANTED[6]}. `.repeat(40_000)) },
      () => ({ ...ENTRY, action: 'C' }),
    );
    await start(of, 'correction', 'I take zanzibarine no more.');
    await vault.add(
      of,
      {
        card: { number: CARD, expires: '2040-12' },
        face: { brand: 'visa', lastFour: '1111', expires: '2040-12' },
      },
      (act) => ({
        ...ENTRY,
        ...act,
      }),
    );
    return of;
  };
  const events = async (): Promise<AuditEvent[]> => {
    const rows = await reader.list(auditEvents, { limit: 1_000 });
    return rows.map(({ row }) => JSON.parse(Buffer.from(row.leaf).toString('utf8')) as AuditEvent);
  };
  return {
    ...{
      ...clinic,
      charts: mine,
      keys,
      secrets,
      requests,
      audit,
      parts,
      documents,
      reader,
      forgotten,
      faults,
    },
    ...{ round, dyingRound, imported, start, step, approved, plant, events },
  };
}

/** Told of each transaction of a store, counted from 1; what it throws is what a dying process leaves behind. */
export interface CommitWatch {
  readonly before?: (count: number) => void;
  /** Everything is staged, nothing is committed. */
  readonly inside?: (count: number) => void;
  readonly after?: (count: number) => void;
}

/** The same store, watched. */
export function watchCommits(store: Store, watch: CommitWatch): Store {
  let count = 0;
  const watched = (one: TenantStore): TenantStore => ({
    get: (...refs) => one.get(...refs),
    list: (of, options) => one.list(of, options),
    busy: (resources, within) => one.busy(resources, within),
    transact: async <T>(work: (tx: Transaction) => Promise<T>, options?: { proof?: Ref }) => {
      count += 1;
      const mine = count;
      watch.before?.(mine);
      const done = await one.transact(async (tx) => {
        const result = await work(tx);
        watch.inside?.(mine);
        return result;
      }, options);
      watch.after?.(mine);
      return done;
    },
  });
  return {
    kind: store.kind,
    tenant: (id) => watched(store.tenant(id)),
    snapshot: (id, work) => store.snapshot(id, work),
    ping: () => store.ping(),
    close: () => store.close(),
  };
}
