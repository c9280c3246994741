import { hash } from 'node:crypto';
import { CryptoError } from './errors.ts';
import type { KeyCache } from './key-cache.ts';
import type { EncryptionContext, Keyring, WrappedKey } from './keyring.ts';
import type { DataKey } from './sealed-value.ts';

/** A data key as it is stored beside the documents that it opens. Nothing in it is secret. */
export interface KeyEnvelope extends WrappedKey {
  /** Which of the subject's keys this is, 1 or more: sealed values name it. */
  readonly version: number;
}

/**
 * Data keys for those who seal fields without the rest of Chartseal: one for each subject is made once, stored
 * wrapped, and loaded to open. Store the envelope with a create-only write, and seal nothing before that write is
 * confirmed: of two envelopes that overwrite each other only one can be loaded again.
 */
export class DataKeys {
  readonly #keyring: Keyring;
  readonly #cache: KeyCache | null;

  /** With a `cache`, loading a key again is no KMS call while the cache's bounds allow. */
  constructor(options: { keyring: Keyring; cache?: KeyCache }) {
    this.#keyring = options.keyring;
    this.#cache = options.cache ?? null;
  }

  /**
   * A fresh 256-bit key. `keyId` is a KMS key ARN or a local key id; `context` names whose key it is by opaque ids
   * (CloudTrail shows it in clear) and is needed to load the key again; `version` is bound to it as well.
   *
   * @throws CryptoError as `Keyring.generate`.
   */
  async createDataKey(
    keyId: string,
    context: EncryptionContext,
    version = 1,
  ): Promise<{ key: DataKey; envelope: KeyEnvelope }> {
    const { secret, wrapped } = await this.#keyring.generate(keyId, withVersion(context, version));
    return { key: { version, secret }, envelope: { ...wrapped, version } };
  }

  /** @throws CryptoError as `Keyring.unwrap`: `KMS_CONTEXT` when the envelope belongs to another context. */
  async loadDataKey(envelope: KeyEnvelope, context: EncryptionContext): Promise<DataKey> {
    const { version, keyId, blob } = envelope;
    const bound = withVersion(context, version);
    const load = () => this.#keyring.unwrap({ keyId, blob }, bound);
    const secret = await (this.#cache === null ? load() : this.#cache.get(cacheId(envelope, bound), load));
    return { version, secret };
  }
}

function withVersion(context: EncryptionContext, version: number): EncryptionContext {
  if (Object.hasOwn(context, 'version') || !Number.isInteger(version) || version < 1 || version > 0xffffffff)
    throw new CryptoError(
      'CONTEXT',
      'A key version is an integer from 1, and the context leaves its name free.',
    );
  return { ...context, version: String(version) };
}

/** Names the context too: a cached key must not open for a caller whom the keyring would refuse. */
function cacheId({ keyId, blob }: KeyEnvelope, context: EncryptionContext): string {
  const pairs = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([hash('sha256', blob, 'base64url'), keyId, pairs]);
}
