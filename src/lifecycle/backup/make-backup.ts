import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditLog } from '../../audit/append.ts';
import type { Outside } from '../../audit/outside.ts';
import { readSize } from '../../audit/tree-store.ts';
import { tenants } from '../../clinic/clinic.ts';
import type { Clock } from '../../kernel/clock.ts';
import { type Collection, type Columns, ref } from '../../kernel/collection.ts';
import { randomId, SYSTEM_TENANT, type TenantId } from '../../kernel/ids.ts';
import type { Listed, Reader, Store } from '../../kernel/store.ts';
import { LifecycleError } from '../errors.ts';
import type { JobActor } from '../jobs/events.ts';
import { BackupError } from './errors.ts';
import { backupEntry } from './events.ts';
import { claimLine, lineOf } from './lines.ts';
import { type Manifest, type Part, writeManifest } from './manifest.ts';
import { verifyPart, writePart } from './part.ts';
import { LAST_BACKUP } from './registers.ts';
import { type BackupPlan, type BackupSet, CLAIMS, collectionsOf, SETS } from './sets.ts';
import { takenTimes } from './taken-times.ts';

/** What a backup stands on. No keyring: nothing is opened. */
export interface BackupHouse {
  readonly store: Store;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly outside: Outside | null;
  readonly plan: BackupPlan;
}

/** Where a backup goes, and who makes it. */
export interface BackupOptions {
  /** A folder that is empty or not there; `data`, `keys` and `log` are made in it. */
  readonly to: string;
  readonly by: JobActor;
  /** Told how many rows of which part are written. */
  readonly onRows?: (part: string, rows: number) => void;
}

/** A backup that was made. */
export interface Made {
  readonly backup: string;
  readonly takenAt: number;
  readonly logSize: number;
  readonly rows: Readonly<Record<BackupSet, number>>;
}

/** A page is about so large, whatever the rows. */
const PAGE_BYTES = 4_000_000;
const FIRST_PAGE = 50;
const MAX_PAGE = 200;

/**
 * Copies a tenant's rows, as they are stored and as they all were at one moment, into three sets of files; reads every
 * part again; and notes it. Nothing is opened, and KMS is not called. Memory does not grow with the tenant.
 *
 * @throws BackupError `BACKUP_THERE`, `BACKUP_PART`; LifecycleError `TENANT_UNKNOWN`; what the store throws.
 */
export async function backupTenant(
  house: BackupHouse,
  tenant: TenantId,
  options: BackupOptions,
): Promise<Made> {
  const { store, audit, clock } = house;
  const [registered] = await store.tenant(SYSTEM_TENANT).get(ref(tenants, tenant));
  if (registered === null) throw new LifecycleError('TENANT_UNKNOWN', 'There is no such tenant.');
  await makeFolders(options.to);
  const backup = randomId('bk');
  const { by } = options;
  // What is about to leave the store is logged first.
  await audit.append(tenant, backupEntry('beginBackup', backup, { by }));
  const checkpoint = (await house.outside?.latest(tenant, 'checkpoint')) ?? null;
  const about = {
    ...({ format: 'chartseal-backup', version: 1, backup, tenant, store: store.kind } as const),
    checkpoint: checkpoint === null ? null : Buffer.from(checkpoint.bytes).toString('utf8'),
  };
  const manifests = await store.snapshot(tenant, async (reader) => {
    const seen = { ...about, takenAt: clock(), logSize: await readSize(reader) };
    const registry = [{ id: tenant, row: registered }];
    const written: Manifest[] = [];
    for (const set of SETS)
      written.push({ ...seen, set, parts: await writeSet(house, reader, { ...options, set, registry }) });
    return written;
  });
  for (const manifest of manifests) {
    const folder = join(options.to, manifest.set);
    for (const part of manifest.parts) await verifyPart(folder, part);
    await writeManifest(folder, manifest);
  }
  return note(house, tenant, { manifests, by });
}

async function makeFolders(to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  if ((await readdir(to)).length > 0)
    throw new BackupError('BACKUP_THERE', `${to} is not empty. Name a folder that is not there yet.`);
  for (const set of SETS) await mkdir(join(to, set), { mode: 0o700 });
}

interface SetOptions extends BackupOptions {
  readonly set: BackupSet;
  /** The tenant's entry in the system tenant's registry. */
  readonly registry: readonly Listed<typeof tenants.columns>[];
}

async function writeSet(
  { plan, clock }: BackupHouse,
  reader: Reader,
  { to, set, registry, onRows = () => {} }: SetOptions,
): Promise<Part[]> {
  const folder = join(to, set);
  const parts: Part[] = [];
  const counted = async function* (name: string, pages: AsyncIterable<string[]>) {
    let rows = 0;
    for await (const lines of pages) {
      yield lines;
      rows += lines.length;
      onRows(name, rows);
    }
  };
  const write = async (name: string, columns: Columns, pages: AsyncIterable<string[]>): Promise<void> => {
    parts.push(await writePart(folder, { name, columns }, counted(name, pages)));
  };
  for (const of of collectionsOf(plan, set)) await write(of.name, of.columns, rowsOf(reader, of));
  if (plan.get(tenants as unknown as Collection) === set)
    await write(tenants.name, tenants.columns, once(registry.map((one) => lineOf(tenants, one))));
  if (set === 'data') await write(CLAIMS, {}, claimsOf(reader, clock()));
  return parts;
}

async function* once(lines: string[]): AsyncGenerator<string[]> {
  yield lines;
}

async function* rowsOf(reader: Reader, of: Collection): AsyncGenerator<string[]> {
  let limit = FIRST_PAGE;
  for (let after: string | undefined; ; ) {
    const page = await reader.list(of, { limit, ...(after !== undefined && { after }) });
    if (page.length === 0) return;
    const lines = page.map((listed) => lineOf(of, listed));
    yield lines;
    if (page.length < limit) return;
    after = page.at(-1)?.id;
    const bytes = lines.reduce((sum, line) => sum + line.length, 0) / lines.length;
    limit = Math.max(1, Math.min(MAX_PAGE, Math.floor(PAGE_BYTES / bytes)));
  }
}

async function* claimsOf(reader: Reader, now: number): AsyncGenerator<string[]> {
  for await (const claims of takenTimes(reader, now)) yield claims.map(claimLine);
}

/** In the log and, for whoever asks when the last one was, in a row. */
async function note(
  { audit, clock }: BackupHouse,
  tenant: TenantId,
  { manifests, by }: { manifests: readonly Manifest[]; by: JobActor },
): Promise<Made> {
  const [first] = manifests;
  if (first === undefined) throw new BackupError('BACKUP_PART', 'No part was written.');
  const { backup, takenAt, logSize } = first;
  const rows = Object.fromEntries(
    manifests.map(({ set, parts }) => [set, parts.reduce((sum, part) => sum + part.rows, 0)]),
  ) as Record<BackupSet, number>;
  const all = rows.data + rows.keys + rows.log;
  await audit.commit(tenant, async (tx) => {
    tx.put(LAST_BACKUP, { backup, takenAt, verifiedAt: clock(), rows: all, logSize });
    return backupEntry('backupTenant', backup, { by, counts: { ...rows, logSize } });
  });
  return { backup, takenAt, logSize, rows };
}
