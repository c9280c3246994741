import { join } from 'node:path';
import { tenants } from '../../clinic/clinic.ts';
import type { Collection } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { BackupError, badPart } from './errors.ts';
import { claimOf, rowOf } from './lines.ts';
import { type Manifest, type Part, partFile, readManifest } from './manifest.ts';
import { linesOf, verifyPart } from './part.ts';
import { type BackupPlan, type BackupSet, CLAIMS, SETS } from './sets.ts';

/** Where the three sets are. */
export type BackupFolders = Readonly<Record<BackupSet, string>>;

/** The sets of a backup in the places where `make-backup.ts` puts them, or where somebody keeps them. */
export const foldersIn = (root: string, elsewhere: Partial<BackupFolders> = {}): BackupFolders => ({
  data: join(root, 'data'),
  keys: join(root, 'keys'),
  log: join(root, 'log'),
  ...elsewhere,
});

/** A part in its place. `of` is null for the taken times. */
export interface CheckedPart {
  readonly folder: string;
  readonly part: Part;
  readonly of: Collection | null;
}

/** A backup of which every byte is as it was written. */
export interface Checked {
  readonly manifests: Readonly<Record<BackupSet, Manifest>>;
  readonly parts: readonly CheckedPart[];
  readonly rows: number;
}

/**
 * Holds a whole backup to its manifests before anything is written: form, tenant, that the sets belong together, every
 * part's bytes, and that each line is a row of a collection that this version has.
 *
 * @throws BackupError.
 */
export async function checkBackup(
  plan: BackupPlan,
  tenant: TenantId,
  folders: BackupFolders,
): Promise<Checked> {
  const [data, keys, log] = (await Promise.all(
    SETS.map((set) => readManifest(folders[set], { set, tenant })),
  )) as [Manifest, Manifest, Manifest];
  for (const later of [keys, log])
    if (later.takenAt < data.takenAt)
      throw new BackupError(
        'BACKUP_SETS',
        `The set "${later.set}" is older than the data: what came in between would not open. Take one of the same backup or a later one.`,
      );
  const manifests = { data, keys, log };
  const parts = SETS.flatMap((set) => partsOf(plan, set, { folder: folders[set], manifest: manifests[set] }));
  for (const { folder, part } of parts) await verifyPart(folder, part);
  for (const part of parts) await checkLines(part);
  return { manifests, parts, rows: parts.reduce((sum, { part }) => sum + part.rows, 0) };
}

/** Each of the plan's collections in its set, once, with columns that it still has; and nothing else. */
function partsOf(
  plan: BackupPlan,
  set: BackupSet,
  { folder, manifest }: { folder: string; manifest: Manifest },
): CheckedPart[] {
  const known = new Map([...plan].filter(([, kept]) => kept === set).map(([of]) => [of.name, of]));
  const seen = new Set<string>();
  return manifest.parts.map((part) => {
    const of = known.get(part.name) ?? null;
    const isKnown = of === null ? set === 'data' && part.name === CLAIMS : fits(of, part);
    if (!isKnown || seen.has(part.name)) throw strange(part);
    seen.add(part.name);
    return { folder, part, of };
  });
}

/** Columns are only ever added, and then may be null. */
function fits({ columns }: Collection, part: Part): boolean {
  const isThere = Object.entries(part.columns).every(([name, type]) => columns[name] === type);
  const mayMiss = Object.entries(columns).every(
    ([name, type]) => Object.hasOwn(part.columns, name) || type.endsWith('?'),
  );
  return isThere && mayMiss;
}

async function checkLines({ folder, part, of }: CheckedPart): Promise<void> {
  let rows = 0;
  for await (const line of linesOf(folder, part)) {
    if ((of === null ? claimOf(line) : rowOf(of, line)) === null) throw strange(part);
    rows += 1;
  }
  if (rows !== part.rows) throw badPart(partFile(part), 'has another number of rows than its manifest says');
}

/** The registry's row, which is written last: with it the tenant is there. */
export async function registryRow({ parts }: Checked, tenant: TenantId) {
  const at = parts.find(({ part }) => part.name === tenants.name);
  if (at === undefined) throw new BackupError('BACKUP_ROWS', 'The keys do not say whose they are.');
  for await (const line of linesOf(at.folder, at.part)) {
    const listed = rowOf(tenants as unknown as Collection, line);
    if (listed?.id === tenant) return listed.row as typeof listed.row & { readonly keyId: string };
  }
  throw new BackupError('BACKUP_TENANT', 'The keys name another tenant. Nothing was restored.');
}

const strange = (part: Part): BackupError =>
  new BackupError(
    'BACKUP_ROWS',
    `The part ${partFile(part)} holds what this version cannot store as it is. Restore with the version that made it, then upgrade.`,
  );
