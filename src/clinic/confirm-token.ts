import { timingSafeEqual } from 'node:crypto';
import type { TenantSecrets } from '../crypto/tenant-secrets.ts';
import { ClinicError } from './errors.ts';
import type { SlotHolder } from './slot-token.ts';

/** What a preview showed, in ids and numbers: the operation, the visit, when it last changed. */
export type Previewed = readonly (string | number)[];

const LIFETIME_MS = 600_000;
const MAC_BYTES = 16;
const FORM = /^([0-9a-z]{1,12})~([A-Za-z0-9_-]{22})$/;

/**
 * A confirm token says that its holder saw a preview: a MAC over who asked and exactly what was shown, good for ten
 * minutes. If the visit changed meanwhile, what was seen is no longer what would be done, and the token is void.
 */
export class ConfirmTokens {
  readonly #secrets: TenantSecrets;

  constructor(secrets: TenantSecrets) {
    this.#secrets = secrets;
  }

  async issue(previewed: Previewed, holder: SlotHolder, now: number): Promise<string> {
    const expires = (now + LIFETIME_MS).toString(36);
    return `${expires}~${(await this.#mac(expires, previewed, holder)).toString('base64url')}`;
  }

  /** @throws ClinicError `CONFIRM_INVALID` unless issued to this holder for this very preview, ten minutes ago at most. */
  async check(token: string, previewed: Previewed, holder: SlotHolder & { now: number }): Promise<void> {
    const [, expires = '', mac = ''] = FORM.exec(token) ?? [];
    const expected = await this.#mac(expires, previewed, holder);
    const given = Buffer.from(mac, 'base64url');
    const genuine = given.length === expected.length && timingSafeEqual(given, expected);
    if (genuine && Number.parseInt(expires, 36) >= holder.now) return;
    throw new ClinicError(
      'CONFIRM_INVALID',
      'That confirmation is not of this preview, or over ten minutes old. Ask for the preview again.',
    );
  }

  async #mac(expires: string, previewed: Previewed, { tenant, user, patient }: SlotHolder): Promise<Buffer> {
    const mac = await this.#secrets.mac(tenant, 'confirm', [
      user,
      patient,
      expires,
      ...previewed.map(String),
    ]);
    return mac.subarray(0, MAC_BYTES);
  }
}
