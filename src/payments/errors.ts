import { ChartsealError } from '../kernel/errors.ts';

/**
 * - `CARD_INPUT` a field of the form is not what is on a card
 * - `CARD_UNKNOWN` no such card of this patient, or no more
 * - `CARD_LIMIT` as many cards are kept as may be
 * - `CARD_IN_CHAT` something that looks like a card number came through a conversation
 * - `PROCESSOR` the processor did not take the card
 */
export type PaymentErrorCode = 'CARD_INPUT' | 'CARD_UNKNOWN' | 'CARD_LIMIT' | 'CARD_IN_CHAT' | 'PROCESSOR';

/** Something about a card cannot be done. Its message repeats nothing of what was typed. */
export class PaymentError extends ChartsealError<PaymentErrorCode> {}
