import type { Composed } from '../compose.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { JobView } from '../lifecycle/jobs/jobs.ts';
import { workJob } from '../lifecycle/jobs/worker.ts';
import type { RotationStart } from '../lifecycle/rotation/rotations.ts';
import type { Survey } from '../lifecycle/rotation/survey.ts';
import { EXIT, type Invocation, UsageError } from './command.ts';
import { out, table } from './terminal.ts';

/** What the commands on keys share: options, progress on standard error, the report of a job. */

const OPERATOR = { user: 'operator', client: 'chartseal' } as const;
const DAY_MS = 86_400_000;
const TOLD_MS = 2_000;

export const JOB_OPTIONS = {
  tenant: { type: 'string' },
  rate: { type: 'string' },
  'dry-run': { type: 'boolean' },
  detach: { type: 'boolean' },
} as const;

type Values = Invocation['values'];

/** @throws UsageError unless it is a whole number within the bounds. */
export function numberOption(
  values: Values,
  name: string,
  bounds: { least: number; most: number },
): number | null {
  const text = values[name];
  if (text === undefined) return null;
  const value = Number(text);
  if (typeof text !== 'string' || !/^\d+$/.test(text) || value < bounds.least || value > bounds.most)
    throw new UsageError(`--${name} is a whole number from ${bounds.least} to ${bounds.most}.`);
  return value;
}

export const startOf = (values: Values): RotationStart => ({
  by: OPERATOR,
  rate: numberOption(values, 'rate', { least: 1, most: 10_000 }) ?? 0,
});

/** `--older-than DAYS`: keys made before this; `fallback` without it. */
export function beforeOf(values: Values, fallback: number): number {
  const days = numberOption(values, 'older-than', { least: 0, most: 36_500 });
  return days === null ? fallback : Date.now() - days * DAY_MS;
}

/** One line on standard error now and then; never on standard output, where the answer goes. */
export function progress(): { tell: (text: () => string) => void; end: () => void } {
  let next = 0;
  const isTerminal = process.stderr.isTTY === true;
  return {
    tell: (text) => {
      if (Date.now() < next) return;
      next = Date.now() + (isTerminal ? 200 : TOLD_MS);
      process.stderr.write(isTerminal ? `\r\u001b[K${text()}` : `${text()}\n`);
    },
    end: () => void (isTerminal && next > 0 && process.stderr.write('\r\u001b[K')),
  };
}

/** Works a job in this process until it ends, is paused, or Ctrl-C: then it stays where it is. */
export async function workHere({ rotations }: Composed, tenant: TenantId, id: string): Promise<JobView> {
  const ending = new AbortController();
  const stop = (): void => ending.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const { tell, end } = progress();
  const started = performance.now();
  let last = await rotations.jobs.find(tenant, id);
  try {
    return await workJob(rotations.jobs, tenant, id, {
      signal: ending.signal,
      onStep: async () => {
        last = await rotations.jobs.find(tenant, id);
        tell(() => progressLine(last, performance.now() - started));
      },
    });
  } finally {
    end();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

function progressLine({ kind, phase, seen, changed, aside }: JobView, ms: number): string {
  const rate = Math.round((seen * 1_000) / Math.max(1, ms));
  const more = aside === 0 ? '' : `, ${aside} set aside`;
  return `${kind}: ${phase}, ${seen} looked at, ${changed} changed${more} (${rate}/s)`;
}

/** Works jobs one after another, or leaves them to the clock, and says what became of them. */
export async function finishJobs(
  composed: Composed,
  tenant: TenantId,
  { ids, values, json }: { ids: readonly string[]; values: Values; json: boolean },
): Promise<number> {
  const { jobs } = composed.rotations;
  const views: JobView[] = [];
  for (const id of ids)
    views.push(
      values['detach'] === true ? await jobs.find(tenant, id) : await workHere(composed, tenant, id),
    );
  const reports = await Promise.all(
    views.map(async (view) => ({ ...view, setAside: await jobs.faults(tenant, view.id) })),
  );
  if (json) out(JSON.stringify({ tenant, jobs: reports }));
  else for (const report of reports) out(jobText(report));
  if (reports.some(({ state }) => state === 'incomplete')) return EXIT.no;
  if (values['detach'] === true || reports.every(({ state }) => state === 'done')) return EXIT.ok;
  return EXIT.unknown;
}

const ENDS: Readonly<Record<JobView['state'], string>> = {
  done: 'done: nothing is left, and the log says so',
  incomplete: 'ended with something left; what was set aside keeps its old key',
  paused: 'paused',
  running: 'running',
};

/** What became of a job, for people. */
export function jobText(job: JobView & { setAside: readonly { item: string; code: string }[] }): string {
  const rows = [
    ['job', job.id],
    ['state', ENDS[job.state]],
    ['looked at', String(job.seen)],
    ['changed', String(job.changed)],
    ['left', String(job.left)],
    ...(job.drainedAt === null ? [] : [['proof', `event "drained", at ${job.drainedAt} events in the log`]]),
    ...job.setAside.map(({ item, code }) => ['set aside', `${item} (${code})`]),
  ];
  const next =
    job.state === 'running' || job.state === 'paused' ? `\nGo on: npx chartseal keys resume ${job.id}` : '';
  return `${job.kind}\n${table(rows)}${next}`;
}

/** What a dry run found, for people. Nothing was changed. */
export function surveyText(what: string, { seen, left, faults }: Survey): string {
  const trouble = faults.map(({ item, code }) => ['would be set aside', `${item} (${code})`]);
  return `${what} (dry run, nothing was changed)\n${table([['looked at', String(seen)], ['to do', String(left)], ...trouble])}`;
}
