import type { AuditEvent } from '../event.ts';
import { MAX_ROWS, type Reporter, type ReportOptions } from './report-table.ts';

/** An emergency access that nobody reviewed within three days is overdue. */
export const REVIEW_MS = 72 * 3_600_000;

/** Emergency access is opened by an act of this purpose, and reviewed by an act that names it as its entity. */
const isOpening = ({ operation, purposeOfUse, outcome, action }: AuditEvent): boolean =>
  purposeOfUse === 'ETREAT' &&
  outcome === '0' &&
  action !== 'R' &&
  /^emergency/i.test(operation) &&
  !isReview(operation);
const isReview = (operation: string): boolean => /^emergency.*review/i.test(operation);

/** Every emergency access and whether it was reviewed: overdue first, then open, then reviewed. */
export function emergencyReport({ patient, now }: ReportOptions): Reporter {
  const openings: AuditEvent[] = [];
  const reviews = new Map<string, AuditEvent>();
  const reads = new Map<string, number>();
  const keyOf = ({ actor, patient: whose }: AuditEvent): string => `${actor.user} ${whose ?? ''}`;
  return {
    see: (event) => {
      if (isReview(event.operation) && event.outcome === '0') reviews.set(event.entity?.id ?? '', event);
      if (patient !== undefined && event.patient !== patient) return;
      if (isOpening(event)) openings.push(event);
      else if (event.purposeOfUse === 'ETREAT' && event.outcome === '0')
        reads.set(keyOf(event), (reads.get(keyOf(event)) ?? 0) + 1);
    },
    table: () => {
      const rows = openings.map((event) => {
        const review = reviews.get(event.id) ?? reviews.get(event.entity?.id ?? ' ');
        const age = now - Date.parse(event.recorded);
        const state = review !== undefined ? 'reviewed' : age >= REVIEW_MS ? 'OVERDUE' : 'open';
        return { event, review, state, reads: reads.get(keyOf(event)) ?? 0 };
      });
      const order = ['OVERDUE', 'open', 'reviewed'];
      rows.sort(
        (a, b) =>
          order.indexOf(a.state) - order.indexOf(b.state) || (a.event.recorded < b.event.recorded ? 1 : -1),
      );
      return {
        name: 'emergency',
        title: 'Emergency access and its reviews',
        columns: ['State', 'Opened (UTC)', 'By', 'Patient alias', 'Acts', 'Reviewed (UTC)', 'Reviewed by'],
        rows: rows
          .slice(0, MAX_ROWS)
          .map(({ event, review, state, reads: acts }) => [
            state,
            event.recorded,
            event.actor.user,
            event.patient ?? '',
            String(acts),
            review?.recorded ?? '',
            review?.actor.user ?? '',
          ]),
        note: 'A review is due within three days. Acts are those of that person on that chart in an emergency.',
      };
    },
  };
}
