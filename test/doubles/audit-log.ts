import { AuditLog } from '../../src/audit/append.ts';
import { type Clock, systemClock } from '../../src/kernel/clock.ts';
import type { Store } from '../../src/kernel/store.ts';

/** A log that keeps no journal. */
export const logOf = (store: Store, clock: Clock = systemClock): AuditLog =>
  new AuditLog({ store, clock, journal: () => undefined });
