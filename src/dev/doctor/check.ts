import type { Facts } from './facts.ts';

/** What a check found. `reason` says what was seen; nothing of a token. */
export type Judgement =
  | { readonly outcome: 'pass'; readonly reason: string }
  | { readonly outcome: 'fail'; readonly reason: string }
  | { readonly outcome: 'not checked'; readonly reason: string };

/** One thing that stops people from connecting, or lets in whom it should not. */
export interface Check {
  /** Stable, for programs. */
  readonly id: string;
  /** What should be so. */
  readonly title: string;
  /** What to change when it is not. */
  readonly cure: string;
  /** Looks at what was gathered; asks nothing. */
  readonly judge: (facts: Facts) => Judgement;
}

export const pass = (reason: string): Judgement => ({ outcome: 'pass', reason });
export const fail = (reason: string): Judgement => ({ outcome: 'fail', reason });
export const notChecked = (reason: string): Judgement => ({ outcome: 'not checked', reason });

/** Passes when `ok`, else fails with the other reason. */
export const passIf = (ok: boolean, reasons: { readonly yes: string; readonly no: string }): Judgement =>
  ok ? pass(reasons.yes) : fail(reasons.no);

/** The strings of a JSON list; empty for anything else. */
export const listOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

/** An address's protocol is https, or its host is this machine. */
export function isSecure(address: unknown): boolean {
  const url = typeof address === 'string' ? URL.parse(address) : null;
  return (
    url !== null && (url.protocol === 'https:' || ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname))
  );
}
