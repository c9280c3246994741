import { byId, make, pairs, tableOf } from '../page.ts';
import { utcTime } from './times.ts';

/** The screen of keys: what the server says of ages, versions and jobs. It proves nothing; the jobs' events do. */

interface JobLine {
  readonly kind: string;
  readonly state: string;
  readonly phase: string;
  readonly seen: number;
  readonly changed: number;
  readonly left: number;
  readonly aside: number;
  readonly changedAt: number;
  readonly drainedAt: number | null;
}

interface KeyStatus {
  readonly wrappingKey: {
    readonly keyId: string;
    readonly facts: { state: string; rotation: { periodDays: number; nextAt: number | null } | null } | null;
    readonly problem: string | null;
    readonly isCurrent: boolean | null;
  };
  readonly patients: {
    readonly seen: number;
    readonly isPartial: boolean;
    readonly versions: Readonly<Record<string, number>>;
    readonly rotating: number;
    readonly oldest: number | null;
    readonly dueAt: number | null;
  };
  readonly index: {
    version: number;
    isRotating: boolean;
    createdAt: number | null;
    dueAt: number | null;
  } | null;
  readonly jobs: readonly JobLine[];
}

const TIMEOUT_MS = 20_000;
const JOBS: Readonly<Record<string, string>> = {
  rewrap: 'Keys wrapped anew',
  reencrypt: 'Charts sealed anew',
  reindex: 'Search index moved',
};
const STATES: Readonly<Record<string, string>> = {
  running: 'Running',
  paused: 'Paused',
  done: 'Done and proven',
  incomplete: 'Ended, something is left',
};

/** Asks the server, which logs it, and fills the screen. */
export async function showKeys(): Promise<void> {
  const says = byId('keys-say', HTMLElement);
  says.textContent = 'Reading …';
  const response = await fetch('/console/api/keys', { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
    () => null,
  );
  if (response?.status === 401) return location.assign('/console?left=ended');
  if (response?.ok !== true) {
    byId('keys-facts', HTMLElement).replaceChildren();
    byId('keys-jobs', HTMLElement).replaceChildren();
    says.textContent = 'The server did not say how the keys are. Open this view again in a minute.';
    return;
  }
  fill((await response.json()) as KeyStatus);
}

function fill(status: KeyStatus): void {
  const { wrappingKey, jobs } = status;
  byId('keys-say', HTMLElement).textContent = sentenceOf(status);
  byId('keys-facts', HTMLElement).replaceChildren(
    ...pairs([...wrappingFacts(wrappingKey), ...dataFacts(status)]),
  );
  const rows = jobs.map((job) => [
    JOBS[job.kind] ?? job.kind,
    STATES[job.state] ?? job.state,
    count(job.changed),
    count(job.left),
    count(job.aside),
    job.drainedAt === null ? 'none' : `event “drained” at ${count(job.drainedAt)} events`,
    timeOf(job.changedAt),
  ]);
  const columns = ['Job', 'State', 'Changed', 'Left', 'Set aside', 'Proof in the log', 'Last step (UTC)'];
  byId('keys-jobs', HTMLElement).replaceChildren(
    rows.length === 0 ? make('p', {}, 'No key was rotated yet.') : tableOf('Last jobs', columns, rows),
  );
}

function sentenceOf({ wrappingKey, patients, jobs }: KeyStatus): string {
  if (wrappingKey.problem !== null)
    return `The wrapping key does not work (${wrappingKey.problem}). Within five minutes nobody opens a chart of this clinic.`;
  const running = jobs.filter(({ state }) => state === 'running').length;
  if (running > 0)
    return `The wrapping key works. ${running} of the rotations below ${running === 1 ? 'is' : 'are'} under way.`;
  const left = patients.rotating;
  return left === 0
    ? 'The wrapping key works, and no older key is left.'
    : `${count(left)} patients still have an older key.`;
}

function wrappingFacts({ keyId, facts, isCurrent }: KeyStatus['wrappingKey']): [string, string][] {
  const rotation = facts?.rotation;
  return [
    ['Wrapping key', keyId],
    ['State in KMS', facts?.state ?? 'not shown to this server'],
    [
      'Wraps by its newest generation',
      isCurrent === null ? 'unknown' : isCurrent ? 'yes' : 'no: a rewrap is due',
    ],
    [
      'KMS rotates it',
      rotation ? `every ${rotation.periodDays} days, next ${timeOf(rotation.nextAt)}` : 'not by itself',
    ],
  ];
}

function dataFacts({ patients, index }: KeyStatus): [string, string][] {
  const versions = Object.entries(patients.versions).map(
    ([version, n]) => `${count(n)} at version ${version}`,
  );
  return [
    ['Patients', `${count(patients.seen)}${patients.isPartial ? ' looked at, there are more' : ''}`],
    ['Their keys', versions.join(', ') || 'none'],
    ['With an older key', count(patients.rotating)],
    ['Oldest key made (UTC)', timeOf(patients.oldest)],
    ['Next due (UTC)', timeOf(patients.dueAt)],
    [
      'Search index key',
      index === null ? 'none' : `version ${index.version}${index.isRotating ? ', moving' : ''}`,
    ],
    ['Index key due (UTC)', timeOf(index?.dueAt ?? null)],
  ];
}

const count = (n: number): string => n.toLocaleString('en');
const timeOf = (at: number | null): string => (at === null ? 'unknown' : utcTime(new Date(at).toISOString()));
