import { collection, type Row } from '../kernel/collection.ts';
import { digestOf, rolledBack, type ValueEntry, wholeContext } from './chart-values.ts';
import { encodeContext, type SealContext, WHOLE } from './context.ts';
import { CryptoError } from './errors.ts';
import type { PatientRef, patientKeys } from './patient-keys.ts';
import { type DataKey, keyVersionOf, MAX_PLAINTEXT, open, seal } from './sealed-value.ts';

/** One sealed manifest a patient, id = patient: the digest of every value of the chart at this revision. */
export const manifests = collection('manifests', { revision: 'integer', sealed: 'bytes' });

export type ManifestRow = Row<typeof manifests.columns>;
export type KeyRow = Row<typeof patientKeys.columns>;

/** What a chart consists of at one revision: value id → entry. */
export interface Manifest {
  readonly revision: number;
  readonly values: ReadonlyMap<string, ValueEntry>;
}

/** Sealed as JSON. A value in one piece is its digest alone. */
interface StoredManifest {
  readonly revision: number;
  readonly values: Readonly<Record<string, string | ValueEntry>>;
}

const MANIFEST_SCHEMA = 1;

/** What a manifest is opened from. */
export interface StoredChart {
  readonly of: PatientRef;
  readonly key: KeyRow;
  readonly manifest: ManifestRow | null;
  /** The patient's key of a version. Inside a transaction it must not call KMS. */
  readonly keyFor: (version: number) => DataKey | Promise<DataKey>;
}

/**
 * Opens the manifest that the key document names; an empty one for a chart that was never written.
 *
 * @throws CryptoError `ROLLBACK` when the manifest is not the one that was written last with this key document, or
 * the key document is older than the manifest; what `open` throws.
 */
export async function openManifest({ of, key, manifest, keyFor }: StoredChart): Promise<Manifest> {
  if (key.head !== (manifest === null ? null : digestOf(manifest.sealed))) throw rolledBack();
  if (manifest === null) return { revision: 0, values: new Map() };
  const version = keyVersionOf(manifest.sealed);
  if (version > key.current) throw rolledBack();
  const context = encodeContext(contextOf(of, manifest.revision));
  const json = open(manifest.sealed, await keyFor(version), context).toString('utf8');
  const { revision, values } = JSON.parse(json) as StoredManifest;
  const entries = Object.entries(values).map(([id, entry]) => [id, fromStored(entry)] as const);
  return { revision, values: new Map(entries) };
}

/** @throws CryptoError `TOO_LARGE` when the chart has more values than a manifest names: about 4,000. */
export function sealManifest(of: PatientRef, manifest: Manifest, key: DataKey): ManifestRow {
  const { revision } = manifest;
  const values = Object.fromEntries([...manifest.values].map(([id, entry]) => [id, toStored(entry)]));
  const json = Buffer.from(JSON.stringify({ revision, values } satisfies StoredManifest));
  if (json.length > MAX_PLAINTEXT) {
    throw new CryptoError('TOO_LARGE', 'The chart holds too many values. Remove some that are not needed.');
  }
  return { revision, sealed: seal(json, key, encodeContext(contextOf(of, revision))) };
}

function contextOf(of: PatientRef, revision: number): SealContext {
  const name = { collection: 'manifests', document: of.patient, compartment: 'manifest' } as const;
  return wholeContext(of, name, { schema: MANIFEST_SCHEMA, revision });
}

const toStored = (entry: ValueEntry): string | ValueEntry => (entry.chunkCount === 1 ? entry.digest : entry);
const fromStored = (entry: string | ValueEntry): ValueEntry =>
  typeof entry === 'string'
    ? { digest: entry, chunkSet: WHOLE.chunkSet, chunkCount: WHOLE.chunkCount }
    : entry;
