import { createHash } from 'node:crypto';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { collection, type JsonValue, type Ref, type Row, ref } from '../kernel/collection.ts';
import { SYSTEM_TENANT } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { oauthGrants } from './grants.ts';
import { LIFETIMES } from './lifetimes.ts';

/**
 * The authorization server's protocol state. Codes, refresh tokens and cookies are bearer secrets, so a row is
 * found by the hash of one and never contains it: who reads the database can use none of them.
 */
export const oauthState = collection('oauthState', {
  payload: 'json',
  grantId: 'text?',
  uid: 'text?',
  expiresAt: 'instant?',
  consumedAt: 'instant?',
});

type StateRow = Row<typeof oauthState.columns>;
const PAGE = 500;

/** The row's address: `Model_` and the SHA-256 of the id, base64url. */
export function stateRef(model: string, id: string): Ref<typeof oauthState.columns> {
  return ref(oauthState, `${model}_${createHash('sha256').update(id).digest('base64url')}`);
}

/** Makes oidc-provider's adapters (one for each model) over the store. `now` is in milliseconds. */
export function createAdapterFactory(store: Store, now: Clock = systemClock): (model: string) => Adapter {
  return (model) => new StoreAdapter(store, model, now);
}

/** Keeps a registered client that a person has just connected. Nothing for clients that were not registered here. */
export async function keepClient(store: Store, clientId: string, now: Clock = systemClock): Promise<void> {
  await store.tenant(SYSTEM_TENANT).transact(async (tx) => {
    const at = stateRef('Client', clientId);
    const [row] = await tx.get(at);
    if (row !== null) tx.put(at, { ...row, expiresAt: now() + LIFETIMES.client * 1000 });
  });
}

class StoreAdapter implements Adapter {
  readonly #rows: ReturnType<Store['tenant']>;
  readonly #model: string;
  readonly #now: Clock;

  constructor(store: Store, model: string, now: Clock) {
    this.#rows = store.tenant(SYSTEM_TENANT);
    this.#model = model;
    this.#now = now;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const row: StateRow = {
      payload: withoutSecrets(id, payload),
      grantId: payload.grantId ?? null,
      uid: payload.uid ?? null,
      expiresAt: this.#expiryOf(expiresIn),
      consumedAt: null,
    };
    await this.#rows.transact(async (tx) => tx.put(stateRef(this.#model, id), row));
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const [row] = await this.#rows.get(stateRef(this.#model, id));
    return row === null || this.#expired(row) ? undefined : this.#restore(id, row);
  }

  /** Used to check whose session an interaction belongs to; the session's own id stays unknown. */
  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const [found] = await this.#rows.list(oauthState, { equals: { uid }, limit: 1 });
    if (found === undefined || this.#expired(found.row)) return undefined;
    return found.row.payload as AdapterPayload;
  }

  /** The device flow is off, so there are no user codes. */
  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  /**
   * Of several simultaneous uses of one code exactly one gets past here: the check and the mark are one
   * transaction. A refresh token may be used again within the grace.
   */
  async consume(id: string): Promise<void> {
    await this.#rows.transact(async (tx) => {
      const at = stateRef(this.#model, id);
      const [row] = await tx.get(at);
      if (row === null || this.#expired(row) || this.#spent(row)) {
        throw new errors.InvalidGrant('already used');
      }
      if (row.consumedAt === null) tx.put(at, { ...row, consumedAt: this.#now() });
    });
  }

  async destroy(id: string): Promise<void> {
    await this.#rows.transact(async (tx) => {
      if (this.#model === 'Grant') {
        // Access tokens of the grant are still in date: this row is what refuses them.
        const at = ref(oauthGrants, id);
        const [grant] = await tx.get(at);
        if (grant !== null && grant.revokedAt === null) tx.put(at, { ...grant, revokedAt: this.#now() });
      }
      tx.delete(stateRef(this.#model, id));
    });
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    let after: string | undefined;
    for (;;) {
      const found = await this.#rows.list(oauthState, {
        equals: { grantId },
        limit: PAGE,
        ...(after === undefined ? {} : { after }),
      });
      const mine = found.filter(({ id }) => id.startsWith(`${this.#model}_`));
      if (mine.length > 0) {
        await this.#rows.transact(async (tx) => {
          for (const { id } of mine) tx.delete(ref(oauthState, id));
        });
      }
      after = found.at(-1)?.id;
      if (found.length < PAGE) return;
    }
  }

  /** A registration is open to anyone, so a client that nobody connects does not stay. */
  #expiryOf(seconds = this.#model === 'Client' ? LIFETIMES.unusedClient : undefined): number | null {
    return seconds === undefined ? null : this.#now() + seconds * 1000;
  }

  #expired(row: StateRow): boolean {
    return row.expiresAt !== null && row.expiresAt <= this.#now();
  }

  #spent(row: StateRow): boolean {
    if (row.consumedAt === null) return false;
    const grace = this.#model === 'RefreshToken' ? LIFETIMES.refreshGrace * 1000 : 0;
    return this.#now() - row.consumedAt >= grace;
  }

  #restore(id: string, row: StateRow): AdapterPayload {
    const payload = { ...(row.payload as AdapterPayload), jti: id };
    if (payload.returnTo !== undefined) payload.returnTo = payload.returnTo.replace(OWN_ID, id);
    if (this.#spent(row)) payload.consumed = Math.floor((row.consumedAt ?? 0) / 1000);
    return payload;
  }
}

const OWN_ID = ':own-id';

function withoutSecrets(id: string, { jti: _secret, ...payload }: AdapterPayload): JsonValue {
  if (payload.returnTo !== undefined) payload.returnTo = payload.returnTo.replace(id, OWN_ID);
  if (payload.session !== undefined) {
    const { cookie: _cookie, ...session } = payload.session;
    payload.session = session;
  }
  // Through JSON, so that what is stored is plain data without `undefined`.
  return JSON.parse(JSON.stringify(payload)) as JsonValue;
}
