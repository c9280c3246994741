import type { AuditEntry, AuditLog } from '../audit/append.ts';
import { encodeContext, WHOLE } from '../crypto/context.ts';
import type { Keyring } from '../crypto/keyring.ts';
import type { PatientRef } from '../crypto/patient-keys.ts';
import { open, seal } from '../crypto/sealed-value.ts';
import type { TenantSecrets } from '../crypto/tenant-secrets.ts';
import { WRAPPED_COLUMNS, wrappedKeyOf, wrappedRow } from '../crypto/wrapped-row.ts';
import type { Clock } from '../kernel/clock.ts';
import { collection, type Ref, ref } from '../kernel/collection.ts';
import { randomId, type TenantId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import type { Card, CardFace } from './card-number.ts';
import { PaymentError } from './errors.ts';
import type { CardProcessor } from './processor.ts';

/** A patient's cards: the card under its own key, its face under the tenant's secret. */
export const cards = collection('cards', {
  patient: 'text',
  sealed: 'bytes',
  face: 'bytes',
  createdAt: 'instant',
});
/** The wrapped key of a card, under the card's id. Apart, so that a backup of one is no backup of the other. */
export const cardKeys = collection('cardKeys', { patient: 'text', ...WRAPPED_COLUMNS });

/** A kept card as its owner sees it. */
export interface KeptCard extends CardFace {
  readonly id: string;
}

/** What {@link CardVault} stands on. */
export interface CardVaultOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly secrets: TenantSecrets;
  readonly audit: AuditLog;
  readonly clock: Clock;
  /** The wrapping key of a tenant: a KMS key ARN or a local key id. */
  readonly tenantKeyId: (tenant: TenantId) => Promise<string>;
}

/** Makes the event of an act, with what only the act knows. */
export type CardEntry = (act: Pick<AuditEntry, 'action' | 'operation' | 'entity'>) => AuditEntry;

/** Cards that one patient may keep. */
export const MAX_CARDS = 10;
const PROCESSOR_MS = 20_000;
const SCHEMA = 1;
const KEY_VERSION = 1;
const ID = /^card_[A-Za-z0-9_-]{22}$/;

/** Card numbers, each under a key of its own, opened for a processor alone. Who may do what is decided before. */
export class CardVault {
  readonly #options: CardVaultOptions;

  constructor(options: CardVaultOptions) {
    this.#options = options;
  }

  /** @throws PaymentError `CARD_LIMIT`; CryptoError of the keyring; then nothing was kept. */
  async add(of: PatientRef, given: { card: Card; face: CardFace }, entry: CardEntry): Promise<KeptCard> {
    const { keyring, secrets, audit, clock, tenantKeyId } = this.#options;
    const id = randomId('card');
    const key = await keyring.generate(await tenantKeyId(of.tenant), keyContext(of.tenant, id));
    const plaintext = Buffer.from(JSON.stringify(given.card), 'utf8');
    const sealed = seal(plaintext, { version: KEY_VERSION, secret: key.secret }, contextOf(of, id));
    plaintext.fill(0);
    const face = await secrets.seal(
      of.tenant,
      { purpose: 'card-face', id },
      Buffer.from(JSON.stringify(given.face), 'utf8'),
    );
    const createdAt = clock();
    await audit.commit(of.tenant, async (tx) => {
      const kept = await tx.list(cards, { equals: { patient: of.patient }, limit: MAX_CARDS });
      if (kept.length >= MAX_CARDS) throw tooMany();
      tx.create(ref(cardKeys, id), { patient: of.patient, ...wrappedRow(key.wrapped, createdAt) });
      tx.create(ref(cards, id), { patient: of.patient, sealed, face, createdAt });
      return entry({ action: 'C', operation: 'keepCard', entity: entityOf(id) });
    });
    return { id, ...given.face };
  }

  /** What may be shown of a patient's cards, the oldest first. Commit the event of showing it first. */
  list(of: PatientRef): Promise<KeptCard[]> {
    return listCards(this.#options, of);
  }

  /** Destroys a card's key and everything kept of it, in one transaction. @throws PaymentError `CARD_UNKNOWN`. */
  async remove(of: PatientRef, id: string, entry: CardEntry): Promise<void> {
    const at = refsOf(id);
    await this.#options.audit.commit(of.tenant, async (tx) => {
      const [row] = await tx.get(at.card);
      if (row === null || row.patient !== of.patient) throw unknown();
      tx.delete(at.key);
      tx.delete(at.card);
      return entry({ action: 'D', operation: 'removeCard', entity: entityOf(id) });
    });
  }

  /**
   * Opens a card for a processor, once the event that names the processor is committed. The card goes nowhere else.
   *
   * @returns the processor's token.
   * @throws PaymentError `CARD_UNKNOWN`, `PROCESSOR` (retryable); CryptoError.
   */
  async present(
    of: PatientRef,
    { id, to }: { id: string; to: CardProcessor },
    entry: CardEntry,
  ): Promise<{ token: string }> {
    const { store, keyring, audit } = this.#options;
    const at = refsOf(id);
    const [row, key] = await store.tenant(of.tenant).get(at.card, at.key);
    if (row === null || key === null || row.patient !== of.patient) throw unknown();
    const secret = await keyring.unwrap(wrappedKeyOf(key), keyContext(of.tenant, id));
    const plaintext = open(row.sealed, { version: KEY_VERSION, secret }, contextOf(of, id));
    try {
      const entity = { ...entityOf(id), fields: ['card.number', 'card.expires'], recipient: to.name };
      await audit.append(of.tenant, entry({ action: 'R', operation: 'presentCard', entity }));
      const card = JSON.parse(plaintext.toString('utf8')) as Card;
      return await to.accept(card, AbortSignal.timeout(PROCESSOR_MS)).catch(() => {
        // Its own words may repeat the number.
        throw new PaymentError('PROCESSOR', 'The card was not taken. Nothing was charged; try again.', {
          retryable: true,
        });
      });
    } finally {
      plaintext.fill(0);
    }
  }
}

/** As {@link CardVault.list}: an export names the cards that are kept, and needs no keyring for that. */
export async function listCards(
  { store, secrets }: Pick<CardVaultOptions, 'store' | 'secrets'>,
  of: PatientRef,
): Promise<KeptCard[]> {
  const rows = await store
    .tenant(of.tenant)
    .list(cards, { equals: { patient: of.patient }, limit: MAX_CARDS });
  const faces = rows
    .sort((a, b) => a.row.createdAt - b.row.createdAt)
    .map(async ({ id, row }) => {
      const face = await secrets.open(of.tenant, { purpose: 'card-face', id }, row.face);
      return { id, ...(JSON.parse(face.toString('utf8')) as CardFace) };
    });
  return Promise.all(faces);
}

/** What a card's key is bound to: KMS writes it to CloudTrail in clear. */
export const keyContext = (tenant: TenantId, card: string) => ({ app: 'chartseal', tenant, card });

const contextOf = ({ tenant, patient }: PatientRef, id: string): Buffer =>
  encodeContext({
    ...{ tenant, patient, document: id, schema: SCHEMA, revision: 1 },
    collection: 'cards',
    compartment: 'card',
    ...WHOLE,
  });

function refsOf(id: string): { card: Ref<typeof cards.columns>; key: Ref<typeof cardKeys.columns> } {
  if (!ID.test(id)) throw unknown();
  return { card: ref(cards, id), key: ref(cardKeys, id) };
}

const entityOf = (id: string) => ({ resource: 'Card', id });
const unknown = (): PaymentError =>
  new PaymentError('CARD_UNKNOWN', 'There is no such card any more. Look at the list again.');
const tooMany = (): PaymentError =>
  new PaymentError('CARD_LIMIT', `${MAX_CARDS} cards are kept already. Remove one first.`);
