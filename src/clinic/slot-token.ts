import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { TenantSecrets } from '../crypto/tenant-secrets.ts';
import type { PatientId, TenantId, UserId } from '../kernel/ids.ts';
import { ClinicError } from './errors.ts';
import type { OpenSlot } from './slots.ts';

/** Who a slot was shown to. A token serves nobody else. */
export interface SlotHolder {
  readonly tenant: TenantId;
  readonly user: UserId;
  readonly patient: PatientId;
}

/** What a slot token names. */
export interface NamedSlot extends OpenSlot {
  readonly visitType: string;
}

const LIFETIME_MS = 600_000;
const MINUTE_MS = 60_000;
const MAC_BYTES = 16;
const NONCE_BYTES = 6;

/**
 * Slot ids are tokens: the slot in clear (it names no patient) and a MAC that binds it to the person, the chart
 * and ten minutes. Nothing is stored until a visit is booked, and the token is the booking's idempotency key: a nonce
 * keeps an offer of the same time apart from one that was booked, cancelled, and is offered again.
 */
export class SlotTokens {
  readonly #secrets: TenantSecrets;

  constructor(secrets: TenantSecrets) {
    this.#secrets = secrets;
  }

  /** A `slotId` for `slot`, good for ten minutes from `now`. */
  async issue(slot: NamedSlot, holder: SlotHolder, now: number): Promise<string> {
    const fields = [
      slot.visitType,
      slot.practitioner,
      minutes(slot.start),
      minutes(slot.end),
      minutes(now + LIFETIME_MS),
      randomBytes(NONCE_BYTES).toString('base64url'),
    ];
    const body = fields.join('~');
    return `${body}~${(await this.#mac(body, holder)).toString('base64url')}`;
  }

  /** @throws ClinicError `SLOT_INVALID` unless issued to this holder, `SLOT_EXPIRED` after ten minutes. */
  async read(slotId: string, holder: SlotHolder, now: number): Promise<NamedSlot> {
    const cut = slotId.lastIndexOf('~');
    const body = slotId.slice(0, Math.max(cut, 0));
    const given = Buffer.from(slotId.slice(cut + 1), 'base64url');
    const expected = await this.#mac(body, holder);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw invalid();
    const [visitType, practitioner, start, end, expires] = body.split('~');
    if (visitType === undefined || practitioner === undefined || expires === undefined) throw invalid();
    if (instant(expires) < now) {
      throw new ClinicError('SLOT_EXPIRED', 'That offer is over ten minutes old. Look for open slots again.');
    }
    return { visitType, practitioner, start: instant(start), end: instant(end) };
  }

  async #mac(body: string, holder: SlotHolder): Promise<Buffer> {
    const mac = await this.#secrets.mac(holder.tenant, 'slot', [holder.user, holder.patient, body]);
    return mac.subarray(0, MAC_BYTES);
  }
}

const minutes = (ms: number): string => Math.floor(ms / MINUTE_MS).toString(36);
const instant = (text: string | undefined): number => Number.parseInt(text ?? '', 36) * MINUTE_MS;
const invalid = (): ClinicError =>
  new ClinicError('SLOT_INVALID', 'That slotId was not offered for this chart. Use one from findOpenSlots.');
