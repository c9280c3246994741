import type { TenantId } from '../kernel/ids.ts';

/**
 * What somebody should look at now: beside its audit event it goes to the process log at once, on which an operator
 * sets an alarm. Opaque ids alone.
 */
export interface Alert {
  readonly kind: 'emergency-opened' | 'charts-slowed' | 'charts-stopped';
  readonly tenant: TenantId;
  readonly user: string;
  /** The emergency's record, or the client. */
  readonly about: string;
}

/** Takes alerts; must not throw. */
export type OnAlert = (alert: Alert) => void;
