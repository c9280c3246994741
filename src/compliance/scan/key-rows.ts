import { indexKeys } from '../../crypto/index-keys.ts';
import { patientKeyVersions } from '../../crypto/patient-keys.ts';
import { tenantSecrets } from '../../crypto/tenant-secrets.ts';
import { cardKeys } from '../../payments/card-vault.ts';
import { type Found, Places } from './places.ts';
import type { Page, RowWatch } from './rows.ts';

/** The wrapped keys as they are stored. */
export interface KeyRowFacts {
  readonly keys: number;
  /** Named by an alias or by nothing, or too short to be wrapped at all. */
  readonly unsound: Found;
  /** Wrapped by a key that is not the tenant's own. */
  readonly foreign: Found;
}

const WRAPPED: ReadonlySet<string> = new Set(
  [tenantSecrets, indexKeys, patientKeyVersions, cardKeys].map(({ name }) => name),
);
const EXACT = /^(?:arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+|local[A-Za-z0-9:/_-]*)$/;
/** 32 bytes of key, an IV of 12 and a tag of 16; KMS adds more. */
const LEAST_BYTES = 60;

/** Looks at wrapped keys; unwraps none. */
export class KeyRowWatch implements RowWatch {
  readonly #keyId: string;
  readonly #unsound = new Places();
  readonly #foreign = new Places();
  #keys = 0;

  constructor(keyId: string) {
    this.#keyId = keyId;
  }

  see({ of, rows }: Page): void {
    if (!WRAPPED.has(of.name)) return;
    for (const { id, row } of rows) {
      const { keyId, wrapped } = row;
      this.#keys += 1;
      const isSound =
        typeof keyId === 'string' &&
        EXACT.test(keyId) &&
        wrapped instanceof Uint8Array &&
        wrapped.length >= LEAST_BYTES;
      if (!isSound) this.#unsound.add(`${of.name} ${id}`);
      else if (keyId !== this.#keyId) this.#foreign.add(`${of.name} ${id}`);
    }
  }

  get facts(): KeyRowFacts {
    return { keys: this.#keys, unsound: this.#unsound.found, foreign: this.#foreign.found };
  }
}
