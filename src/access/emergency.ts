import { collection, type Ref, type Row, ref } from '../kernel/collection.ts';
import { type Pair, pairId } from './relationships.ts';

/** A clinician's emergency access to one chart that lasts, or lasted; id = {@link pairId}. One at a time. */
export const emergencyGrants = collection('emergencyGrants', {
  user: 'text',
  patient: 'text',
  /** The record of it, to be reviewed. */
  record: 'text',
  expiresAt: 'instant',
});

/**
 * Each emergency access there ever was. The reason in the clinician's own words is sealed under the tenant. The alias
 * of the patient is not here: it dies with the patient's keys.
 */
export const emergencyRecords = collection('emergencyRecords', {
  user: 'text',
  patient: 'text',
  reason: 'text',
  /** Empty once the patient is erased. */
  sealedReason: 'bytes',
  openedAt: 'instant',
  expiresAt: 'instant',
  /** Until when somebody else should have looked at it. */
  dueAt: 'instant',
  /** `open`, `justified` or `unjustified`. */
  state: 'text',
  reviewer: 'text?',
  reviewedAt: 'instant?',
});

/** Why a chart is opened in an emergency: code → words. */
export const EMERGENCY_REASONS = {
  'danger-to-life': 'Danger to life or limb',
  'patient-cannot-answer': 'The patient cannot answer and somebody must act now',
  'team-not-reachable': 'The treating team cannot be reached in time',
  'disaster-downtime': 'Disaster, or systems that are down',
} as const;
export type EmergencyReason = keyof typeof EMERGENCY_REASONS;

/** How long access may last, in minutes. */
export const EMERGENCY_MINUTES = [15, 30, 60] as const;
export type EmergencyMinutes = (typeof EMERGENCY_MINUTES)[number];

/** The clinician's own words, in characters. */
export const REASON_LENGTH = { min: 10, max: 1_000 } as const;

/** Where the emergency access of these two is. */
export const emergencyRef = (pair: Pair): Ref<typeof emergencyGrants.columns> =>
  ref(emergencyGrants, pairId(pair));

/** Whether it lasts at `now`. It is over at the very instant of its end. */
export function emergencyAt(
  row: Row<typeof emergencyGrants.columns> | null,
  pair: Pair,
  now: number,
): boolean {
  return row !== null && row.user === pair.user && row.patient === pair.patient && row.expiresAt > now;
}
