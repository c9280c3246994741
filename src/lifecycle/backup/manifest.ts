import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { TenantId } from '../../kernel/ids.ts';
import { BackupError } from './errors.ts';
import { type BackupSet, SETS } from './sets.ts';

/** What a set's `manifest.json` says. It is written last, so a folder without one is no backup. */
const manifestShape = z.strictObject({
  format: z.literal('chartseal-backup'),
  version: z.literal(1),
  set: z.enum(SETS),
  /** The same for the three sets that were made together. */
  backup: z.string(),
  tenant: z.string(),
  /** The kind of store that it came from. */
  store: z.string(),
  /** The moment that it shows, ms since the epoch. */
  takenAt: z.number().int(),
  /** The audit log's size at that moment. */
  logSize: z.number().int(),
  /** The last signed checkpoint before it; null without one. */
  checkpoint: z.string().nullable(),
  parts: z.array(
    z.strictObject({
      /** A collection, or `timeClaims`; the file is called so. */
      name: z.string().regex(/^[A-Za-z]{1,40}$/),
      /** Its columns and their types. */
      columns: z.record(z.string(), z.string()),
      rows: z.number().int(),
      bytes: z.number().int(),
      /** Hex. */
      sha256: z.string(),
    }),
  ),
});
export type Manifest = z.infer<typeof manifestShape>;
export type Part = Manifest['parts'][number];

const FILE = 'manifest.json';
export const partFile = ({ name }: Pick<Part, 'name'>): string => `${name}.ndjson`;

/** Whole or not at all. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const draft = join(folder, `.${FILE}`);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(folder, FILE));
}

/** @throws BackupError `BACKUP_FORMAT`, `BACKUP_TENANT`. */
export async function readManifest(
  folder: string,
  wanted: { readonly set: BackupSet; readonly tenant: TenantId },
): Promise<Manifest> {
  const text = await readFile(join(folder, FILE), 'utf8').catch(() => null);
  if (text === null)
    throw new BackupError('BACKUP_FORMAT', `There is no whole backup in ${folder}: it has no ${FILE}.`);
  const read = manifestShape.safeParse(json(text));
  if (!read.success)
    throw new BackupError(
      'BACKUP_FORMAT',
      `The manifest in ${folder} is not of this format. Use the version of Chartseal that made it, or one that still reads it.`,
    );
  const { set, tenant } = read.data;
  if (set !== wanted.set)
    throw new BackupError('BACKUP_FORMAT', `In ${folder} is the set "${set}", not "${wanted.set}".`);
  if (tenant !== wanted.tenant)
    throw new BackupError('BACKUP_TENANT', 'The backup is another tenant’s. Nothing was restored.');
  return read.data;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
