import type { AuditEvent } from '../event.ts';
import { MAX_ROWS, type Reporter, type ReportOptions } from './report-table.ts';

interface Activity {
  readonly user: string;
  readonly roles: Set<string>;
  readonly charts: Set<string>;
  reads: number;
  writes: number;
  refused: number;
  emergency: number;
  last: string;
}

/** What each person did, for the regular review of access (45 CFR 164.308(a)(1)(ii)(D)). */
export function usersReport({ patient }: ReportOptions): Reporter {
  const people = new Map<string, Activity>();
  return {
    see: (event) => {
      if (patient === undefined || event.patient === patient) count(people, event);
    },
    table: () => ({
      name: 'users',
      title: 'Access review by user',
      columns: ['Person', 'Roles', 'Reads', 'Writes', 'Charts', 'Refused', 'Emergency', 'Last seen (UTC)'],
      rows: [...people.values()]
        .sort((a, b) => b.charts.size - a.charts.size || (a.user < b.user ? -1 : 1))
        .slice(0, MAX_ROWS)
        .map((one) => [
          one.user,
          [...one.roles].sort().join(', '),
          ...[one.reads, one.writes, one.charts.size, one.refused, one.emergency].map(String),
          one.last,
        ]),
      note: 'Whoever opened the most charts comes first.',
    }),
  };
}

function count(people: Map<string, Activity>, event: AuditEvent): void {
  const { user, role } = event.actor;
  const one = people.get(user) ?? {
    user,
    roles: new Set<string>(),
    charts: new Set<string>(),
    reads: 0,
    writes: 0,
    refused: 0,
    emergency: 0,
    last: '',
  };
  people.set(user, one);
  one.roles.add(role);
  if (event.recorded > one.last) one.last = event.recorded;
  if (event.outcome !== '0') {
    one.refused += 1;
    return;
  }
  if (event.patient !== undefined) one.charts.add(event.patient);
  if (event.purposeOfUse === 'ETREAT') one.emergency += 1;
  if (event.action === 'R' || event.action === 'E') one.reads += 1;
  else one.writes += 1;
}
