import type { Card } from './card-number.ts';

/** Whoever charges cards. The one place that an opened card goes to. */
export interface CardProcessor {
  /** As the audit log names the recipient. */
  readonly name: string;
  /**
   * Takes a card once, and gives what stands for it from then on.
   *
   * @param signal aborts when it takes too long.
   * @throws when the processor does not take it; its words are not passed on.
   */
  accept(card: Card, signal: AbortSignal): Promise<{ readonly token: string }>;
}
