/** The one source of "now": milliseconds since the Unix epoch. Tests pass their own. */
export type Clock = () => number;

/** The machine's clock. */
export const systemClock: Clock = () => Date.now();
