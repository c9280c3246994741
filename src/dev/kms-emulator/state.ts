import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { KmsEmulatorError } from './errors.ts';
import type { KeySpec, KeyUsage } from './specs.ts';

/** One generation of a key's secret. The last of a key's list is the current one. */
export interface KeyMaterial {
  /** 64 hex characters, random. */
  readonly id: string;
  /** base64 of the raw key or of a PKCS#8 private key: plaintext, development only. */
  readonly secret: string;
  readonly createdAt: number;
  /** How it came to be current; absent on the first. */
  readonly rotation?: 'AUTOMATIC' | 'ON_DEMAND';
}

/** The states of a key that are emulated. */
type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingReplicaDeletion';

/** A key as one Region has it. */
export interface RegionalKey {
  state: KeyState;
  policy: string;
  readonly description: string;
  readonly createdAt: number;
  readonly tags: readonly { readonly TagKey: string; readonly TagValue: string }[];
  /** When it is destroyed; null unless `PendingDeletion`. */
  deletionDate: number | null;
  /** 7 to 30; null unless its deletion is scheduled. */
  pendingWindowInDays: number | null;
}

/** A key with its secrets, shared by every Region that has it (more than one only for a multi-Region key). */
export interface StoredKey {
  readonly keyId: string;
  readonly spec: KeySpec;
  readonly usage: KeyUsage;
  readonly multiRegion: boolean;
  readonly primaryRegion: string;
  readonly materials: KeyMaterial[];
  /** Automatic rotation; null while it is off. */
  rotation: { periodInDays: number; nextAt: number } | null;
  readonly regions: Record<string, RegionalKey>;
}

/** An alias of one Region. Times are milliseconds since the Unix epoch, here and everywhere in the state. */
export interface StoredAlias {
  readonly region: string;
  /** Starts with `alias/`. */
  readonly name: string;
  keyId: string;
  readonly createdAt: number;
  updatedAt: number;
}

/** Everything that outlives the process. */
export interface KmsState {
  readonly warning: string;
  readonly version: 1;
  /** Counts the writes, so that a second process on the same file is noticed. */
  revision: number;
  /** base64, 32 bytes: seals the session tokens of the emulated STS. */
  readonly sessionSecret: string;
  readonly keys: Record<string, StoredKey>;
  readonly aliases: StoredAlias[];
}

const WARNING =
  'DEVELOPMENT ONLY. This file holds KEY MATERIAL IN CLEAR. Never put real data under these keys, never commit it.';

/** A state with no key. */
export const emptyState = (): KmsState => ({
  warning: WARNING,
  version: 1,
  revision: 0,
  sessionSecret: randomBytes(32).toString('base64'),
  keys: {},
  aliases: [],
});

/**
 * The state in `path`, or null when there is no such file.
 *
 * @throws KmsEmulatorError `STATE_FILE` when the file cannot be read or is not an emulator's state.
 */
export function readState(path: string): KmsState | null {
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as KmsState;
    if (state.version !== 1 || typeof state.keys !== 'object' || !Array.isArray(state.aliases))
      throw unreadable(path);
    return state;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error instanceof KmsEmulatorError ? error : unreadable(path, error);
  }
}

/**
 * Replaces `path` as a whole: a process killed at any point leaves the old state or the new one. Mode 0600.
 *
 * @throws KmsEmulatorError `STATE_FILE_SHARED` when another process wrote the file since `previousRevision`.
 */
export function writeState(path: string, state: KmsState, previousRevision: number): void {
  const onDisk = readState(path);
  if ((onDisk?.revision ?? 0) !== previousRevision) {
    throw new KmsEmulatorError(
      'STATE_FILE_SHARED',
      `Another process wrote ${path}. Stop one of the two KMS emulators, or give each its own state file.`,
    );
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeFileSync(file, `${JSON.stringify(state, null, 1)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } catch {
    // Some file systems refuse to sync a folder; the rename is then as durable as they make it.
  } finally {
    closeSync(folder);
  }
}

const unreadable = (path: string, cause?: unknown): KmsEmulatorError =>
  new KmsEmulatorError('STATE_FILE', `${path} is not a KMS emulator's state. Move it away and start again.`, {
    cause,
  });
