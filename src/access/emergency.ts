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
