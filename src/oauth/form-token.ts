import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * What a form carries so that no other site and no other sign-in can send it.
 *
 * @param of the page that the form is of, and the sign-in or interaction that it belongs to.
 */
export function formToken(key: string, of: { readonly page: string; readonly id: string }): string {
  return createHmac('sha256', key).update(`chartseal/form-token/1\0${of.page}\0${of.id}`).digest('base64url');
}

/** Whether a form carries its token. Takes the same time for every wrong one. */
export function isOwnForm(
  key: string,
  of: { readonly page: string; readonly id: string },
  given: string | null,
): boolean {
  const expected = Buffer.from(formToken(key, of));
  const bytes = Buffer.from(given ?? '');
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}
