import type { Clock } from '../kernel/clock.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { toUtf8 } from './bytes.ts';
import { type Checkpoint, formatCheckpoint, originOf } from './checkpoint.ts';
import { AuditError } from './errors.ts';
import { consistencyPath, TreeHasher, verifyConsistency } from './merkle.ts';
import { nodeSha256 } from './node-sha256.ts';
import type { Outside } from './outside.ts';
import { formatNote, type NoteSignature, type SignedNote } from './signed-note.ts';
import { activeSigners, addSigner, type KeyPlaces, retireSigner, statedKeys } from './signers.ts';
import { type ReadTile, rangeRoot, TileMissing } from './tiles.ts';
import { corrupt, readSize, tileReader } from './tree-store.ts';
import { openNote } from './trusted-keys.ts';

/** Signs with keys that nobody holds: AWS KMS, Ed25519 over the message itself. The app's own role may not. */
export interface CheckpointSigner {
  /** 64 bytes. */
  sign(keyId: string, message: Uint8Array): Promise<Uint8Array>;
}

/** Somebody else who looks at each tree and signs that it continues the one they saw before. */
export interface Witness {
  /** Null when they do not answer or do not agree; the checkpoint goes out without them. */
  cosign(seen: {
    readonly oldSize: number;
    readonly proof: readonly Uint8Array[];
    readonly note: SignedNote;
  }): Promise<NoteSignature | null>;
}

/** What {@link Checkpoints} stands on. */
export interface CheckpointsOptions {
  readonly store: Store;
  readonly outside: Outside;
  readonly signer: CheckpointSigner;
  readonly clock: Clock;
  /** The project that the tenants' origins begin with. */
  readonly project: string;
  readonly witnesses?: readonly Witness[];
}

/** A checkpoint that is outside now. */
export interface PublishedCheckpoint {
  readonly number: number;
  readonly checkpoint: Checkpoint;
}

const hasher = new TreeHasher(nodeSha256);

/** Signs and publishes the state of each tenant's tree, and keeps the register of the keys that do so. */
export class Checkpoints {
  readonly #options: CheckpointsOptions;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  /**
   * Signs the tree as it is and puts the note outside. The last note out there decides what may follow. Two at once
   * are safe: one note gets the next number, and the other publisher answers null.
   *
   * @throws AuditError `LOG_SHRUNK`, `LOG_FORKED` (nothing is signed: look at once), `TREE_CORRUPT`, `NO_SIGNER`,
   * `NOTE`, `OUTSIDE_UNAVAILABLE`; what the signer throws.
   */
  async publish(tenant: TenantId): Promise<PublishedCheckpoint | null> {
    const places = this.#places(tenant);
    const last = await this.#last(places);
    const rows = this.#options.store.tenant(tenant);
    const size = await readSize(rows);
    const { root, proof } = await proveContinued(tileReader(rows), last?.checkpoint ?? null, size);
    const checkpoint = { origin: places.origin, size, root, time: this.#options.clock() };
    const note = await this.#sign(places, formatCheckpoint(checkpoint));
    const cosigned = await this.#cosign(note, { oldSize: last?.checkpoint.size ?? 0, proof });
    const number = (last?.number ?? 0) + 1;
    const isOurs = await this.#options.outside.append(tenant, 'checkpoint', number, formatNote(cosigned));
    return isOurs ? { number, checkpoint } : null;
  }

  /** Lets one more key sign. Safe to repeat. */
  async addSigner(tenant: TenantId, signer: { keyId: string; publicKey: Uint8Array }): Promise<void> {
    await addSigner(this.#places(tenant), signer);
  }

  /** Ends a key after the last checkpoint. @throws AuditError `NO_SIGNER` when it is not there or the only one. */
  async retireSigner(tenant: TenantId, keyId: string): Promise<void> {
    const places = this.#places(tenant);
    const signer = (await activeSigners(places)).find((active) => active.keyId === keyId);
    if (signer === undefined) throw new AuditError('NO_SIGNER', 'No active checkpoint key has that id.');
    const last = await this.#last(places);
    const { size = 0, time } = last?.checkpoint ?? {};
    await retireSigner(places, signer.key, { size, time: time ?? this.#options.clock() });
  }

  #places(tenant: TenantId): KeyPlaces {
    const { store, outside, project } = this.#options;
    return { store, outside, tenant, origin: originOf(project, tenant) };
  }

  async #last(places: KeyPlaces): Promise<PublishedCheckpoint | null> {
    const last = await places.outside.latest(places.tenant, 'checkpoint');
    if (last === null) return null;
    const opened = await openNote(last.bytes, { origin: places.origin, keys: await statedKeys(places) });
    if (opened.refused !== null)
      throw new AuditError(
        'NOTE',
        `The last outside checkpoint is not to be believed (${opened.refused}). Nothing was signed.`,
      );
    return { number: last.number, checkpoint: opened.checkpoint };
  }

  async #sign(places: KeyPlaces, text: string): Promise<SignedNote> {
    const signers = await activeSigners(places);
    if (signers.length === 0)
      throw new AuditError('NO_SIGNER', 'No key signs this tenant’s checkpoints. Add one.');
    const signatures = await Promise.all(
      signers.map(async ({ keyId, key }) => ({
        name: key.name,
        keyId: key.id,
        signature: await this.#options.signer.sign(keyId, toUtf8(text)),
      })),
    );
    return { text, signatures };
  }

  async #cosign(note: SignedNote, seen: { oldSize: number; proof: Uint8Array[] }): Promise<SignedNote> {
    const { witnesses = [] } = this.#options;
    const lines = await Promise.all(witnesses.map((witness) => witness.cosign({ ...seen, note })));
    return { ...note, signatures: [...note.signatures, ...lines.filter((line) => line !== null)] };
  }
}

/** The root of the stored tree, proven to continue the last checkpoint's. */
async function proveContinued(
  read: ReadTile,
  last: Checkpoint | null,
  size: number,
): Promise<{ root: Uint8Array; proof: Uint8Array[] }> {
  const oldSize = last?.size ?? 0;
  if (size < oldSize)
    throw new AuditError(
      'LOG_SHRUNK',
      `The stored tree has ${size} leaves; ${oldSize} are signed already. An older state was put back: find the lost events.`,
    );
  try {
    const root = await rangeRoot(hasher, read, { from: 0, to: size });
    const proof = await Promise.all(
      consistencyPath(oldSize, size).map((range) => rangeRoot(hasher, read, range)),
    );
    const claim = { oldSize, oldRoot: last?.root ?? hasher.empty, size, root, proof };
    if (!verifyConsistency(hasher, claim))
      throw new AuditError(
        'LOG_FORKED',
        'The stored tree does not continue the signed one. Nothing was signed; run "chartseal audit verify".',
      );
    return { root, proof };
  } catch (error) {
    if (error instanceof TileMissing) throw corrupt('a tile is missing');
    throw error;
  }
}
