import { beforeEach, describe, expect, test } from 'vitest';
import type { AuditEvent } from '../../src/audit/event.ts';
import { LocalKeyring, localKeyId } from '../../src/crypto/local-keyring.ts';
import type { newPatientId, TenantId } from '../../src/kernel/ids.ts';
import { readCard } from '../../src/payments/card-number.ts';
import { CardVault, cardKeys, cards, MAX_CARDS } from '../../src/payments/card-vault.ts';
import type { CardProcessor } from '../../src/payments/processor.ts';
import { openClinic } from '../access/people.ts';
import { eventsOf, TENANT } from '../mcp/house.ts';

const NUMBER = '4111111111111111';
const typed = { number: NUMBER, month: '12', year: '2040' };
const given = () => readCard(typed, Date.parse('2026-11-24T12:00:00Z'));

describe('the card vault', () => {
  let at: Awaited<ReturnType<typeof openClinic>>;
  let vault: CardVault;
  let of: { tenant: TenantId; patient: ReturnType<typeof newPatientId> };
  const rows = () => at.store.tenant(TENANT);
  beforeEach(async () => {
    at = await openClinic();
    of = { tenant: TENANT, patient: at.john };
    const { store, secrets } = at;
    const keyring = new LocalKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]);
    const tenantKeyId = async () => localKeyId(1);
    vault = new CardVault({
      store,
      keyring,
      secrets,
      tenantKeyId,
      audit: at.services.audit,
      clock: () => at.time.now,
    });
  });
  const entry = (act: Pick<AuditEvent, 'action' | 'operation' | 'entity'>) => ({
    ...act,
    outcome: '0' as const,
    actor: { user: 'usr_john', role: 'patient', client: 'wallet-page' },
    purposeOfUse: 'HPAYMT',
    policy: 'patient-own-chart',
  });
  const processor = (accept: CardProcessor['accept']): CardProcessor => ({ name: 'acme-payments', accept });

  test('keeps a card sealed; what is stored and logged holds neither the number nor its last four', async () => {
    const kept = await vault.add(of, given(), entry);
    expect(kept).toEqual({ id: kept.id, brand: 'visa', lastFour: '1111', expires: '2040-12' });
    const [row, key] = await rows().get(
      { collection: cards, id: kept.id },
      { collection: cardKeys, id: kept.id },
    );
    expect([row?.sealed[0], row?.face[0], key?.patient]).toEqual([0xc5, 0xc5, at.john]);
    const everything = [
      JSON.stringify(await eventsOf(at.services)),
      ...[...(at.store.rows.get(TENANT) ?? [])].map(([, stored]) =>
        Object.values(stored)
          .map((value) =>
            value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value),
          )
          .join(),
      ),
    ].join();
    expect(everything).not.toMatch(/4111|2040-12/);
    expect((await eventsOf(at.services)).at(-1)).toMatchObject({
      action: 'C',
      operation: 'keepCard',
      entity: { resource: 'Card', id: kept.id },
    });
    expect(await vault.list(of)).toEqual([kept]);
  });

  test('hands a card to a processor alone, after the event that names it', async () => {
    const { id } = await vault.add(of, given(), entry);
    const seen: unknown[] = [];
    const to = processor(async (card) => {
      seen.push(card, (await eventsOf(at.services)).at(-1));
      return { token: 'tok_1' };
    });
    expect(await vault.present(of, { id, to }, entry)).toEqual({ token: 'tok_1' });
    expect(seen).toMatchObject([
      { number: NUMBER, expires: '2040-12' },
      {
        operation: 'presentCard',
        entity: { fields: ['card.number', 'card.expires'], recipient: 'acme-payments' },
      },
    ]);
  });

  test('what a processor says when it fails is not passed on', async () => {
    const { id } = await vault.add(of, given(), entry);
    const to = processor(() => Promise.reject(new Error(`declined ${NUMBER}`)));
    const error = await vault.present(of, { id, to }, entry).catch((caught: Error) => caught);
    expect(error).toMatchObject({ code: 'PROCESSOR', retryable: true });
    expect(`${JSON.stringify(error)}${(error as Error).stack}${(error as Error).cause ?? ''}`).not.toContain(
      '4111',
    );
  });

  test('without the audit log nothing is handed out', async () => {
    const { id } = await vault.add(of, given(), entry);
    at.store.refuseWrites('auditEvents');
    let called = false;
    const to = processor(async () => {
      called = true;
      return { token: 't' };
    });
    await expect(vault.present(of, { id, to }, entry)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    await expect(vault.add(of, given(), entry)).rejects.toBeDefined();
    expect(called).toBe(false);
    at.store.refuseWrites(null);
    expect(await vault.list(of)).toHaveLength(1);
  });

  test('removing destroys key and card in one transaction; an old copy of the sealed row opens no more', async () => {
    const { id } = await vault.add(of, given(), entry);
    const [copy] = await rows().get({ collection: cards, id });
    await vault.remove(of, id, entry);
    expect(await rows().list(cardKeys, { limit: 5 })).toEqual([]);
    expect(await vault.list(of)).toEqual([]);
    await rows().transact(async (tx) => {
      if (copy !== null) tx.create({ collection: cards, id }, copy);
    });
    const to = processor(async () => ({ token: 't' }));
    await expect(vault.present(of, { id, to }, entry)).rejects.toMatchObject({ code: 'CARD_UNKNOWN' });
    await expect(vault.remove({ ...of, patient: at.child }, id, entry)).rejects.toMatchObject({
      code: 'CARD_UNKNOWN',
    });
  });

  test('a card of one patient is none of another’s, and does not open in another’s place', async () => {
    const { id } = await vault.add(of, given(), entry);
    const other = { tenant: TENANT, patient: at.child };
    const to = processor(async () => ({ token: 't' }));
    await expect(vault.present(other, { id, to }, entry)).rejects.toMatchObject({ code: 'CARD_UNKNOWN' });
    const [row] = await rows().get({ collection: cards, id });
    await rows().transact(async (tx) => {
      if (row !== null) tx.put({ collection: cards, id }, { ...row, patient: at.child });
    });
    await expect(vault.present(other, { id, to }, entry)).rejects.toMatchObject({ code: 'COMMITMENT' });
    for (const wrong of ['', 'card_x', `card_${'x'.repeat(22)}`, '../cards'])
      await expect(vault.remove(of, wrong, entry)).rejects.toMatchObject({ code: 'CARD_UNKNOWN' });
  });

  test(`${MAX_CARDS} cards are kept, one more is refused`, async () => {
    for (let n = 0; n < MAX_CARDS; n += 1) await vault.add(of, given(), entry);
    await expect(vault.add(of, given(), entry)).rejects.toMatchObject({ code: 'CARD_LIMIT' });
    expect(await rows().list(cardKeys, { limit: 50 })).toHaveLength(MAX_CARDS);
  });
});
