import { randomBytes } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { KEY_SPECS, type KeySpec } from './specs.ts';
import {
  emptyState,
  type KeyMaterial,
  type KmsState,
  readState,
  type StoredKey,
  writeState,
} from './state.ts';

/** Milliseconds of a day. */
export const DAY_MS = 86_400_000;

/**
 * The emulator's keys and aliases, in memory and (with a `stateFile`) on disk. A change is on disk before it is
 * seen, or it does not happen. Time passes only in {@link KeyStore.tend}.
 */
export class KeyStore {
  readonly #file: string | undefined;
  readonly #clock: Clock;
  #state: KmsState;
  #dueAt: number;

  /** @throws KmsEmulatorError `STATE_FILE` when the file is not an emulator's state. */
  constructor(options: { readonly stateFile?: string | undefined; readonly clock: Clock }) {
    this.#file = options.stateFile;
    this.#clock = options.clock;
    const stored = this.#file === undefined ? null : readState(this.#file);
    this.#state = stored ?? emptyState();
    this.#dueAt = nextDue(this.#state);
    // Written at once, so that a fresh session secret outlives the process like the rest.
    if (stored === null) this.update(() => {});
  }

  /** The state now. Never change it: {@link KeyStore.update} does. */
  get state(): KmsState {
    return this.#state;
  }

  now(): number {
    return this.#clock();
  }

  /** Applies `change` to a copy, writes the copy, then takes it for the state. A throw changes nothing. */
  update<T>(change: (draft: KmsState) => T): T {
    const draft = structuredClone(this.#state);
    const result = change(draft);
    draft.revision += 1;
    if (this.#file !== undefined) writeState(this.#file, draft, this.#state.revision);
    this.#state = draft;
    this.#dueAt = nextDue(draft);
    return result;
  }

  /** Does what time has made due: destroys keys whose window has ended, rotates keys whose period has. */
  tend(): void {
    const now = this.now();
    if (now < this.#dueAt) return;
    this.update((draft) => {
      for (const key of Object.values(draft.keys)) {
        rotateIfDue(key, now);
        destroyIfDue(draft, key, now);
      }
    });
  }
}

/** A fresh generation of key material. */
export function newMaterial(spec: KeySpec, now: number): KeyMaterial {
  const secret = KEY_SPECS[spec].generate().toString('base64');
  return { id: randomBytes(32).toString('hex'), secret, createdAt: now };
}

function nextDue(state: KmsState): number {
  let due = Number.POSITIVE_INFINITY;
  for (const key of Object.values(state.keys)) {
    if (rotates(key)) due = Math.min(due, key.rotation?.nextAt ?? due);
    for (const regional of Object.values(key.regions)) due = Math.min(due, regional.deletionDate ?? due);
  }
  return due;
}

/** AWS does not rotate a key that is disabled or about to be deleted; it catches up when the key is enabled. */
const rotates = (key: StoredKey): boolean => key.regions[key.primaryRegion]?.state === 'Enabled';

function rotateIfDue(key: StoredKey, now: number): void {
  if (key.rotation === null || now < key.rotation.nextAt || !rotates(key)) return;
  key.materials.push({ ...newMaterial(key.spec, now), rotation: 'AUTOMATIC' });
  key.rotation.nextAt = now + key.rotation.periodInDays * DAY_MS;
}

function destroyIfDue(draft: KmsState, key: StoredKey, now: number): void {
  for (const [region, regional] of Object.entries(key.regions)) {
    if (regional.deletionDate === null || now < regional.deletionDate) continue;
    delete key.regions[region];
    const kept = draft.aliases.filter((alias) => alias.keyId !== key.keyId || alias.region !== region);
    draft.aliases.splice(0, draft.aliases.length, ...kept);
  }
  if (Object.keys(key.regions).length === 0) delete draft.keys[key.keyId];
  startPrimaryWindow(key, now);
}

/** A primary key's own window starts when its last replica is gone. */
function startPrimaryWindow(key: StoredKey, now: number): void {
  const primary = key.regions[key.primaryRegion];
  if (primary?.state !== 'PendingReplicaDeletion' || Object.keys(key.regions).length > 1) return;
  primary.state = 'PendingDeletion';
  primary.deletionDate = now + (primary.pendingWindowInDays ?? 30) * DAY_MS;
}
