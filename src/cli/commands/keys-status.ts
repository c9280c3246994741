import { parseTenantId } from '../../kernel/ids.ts';
import type { JobView } from '../../lifecycle/jobs/jobs.ts';
import { type KeyStatus, keyStatus } from '../../lifecycle/rotation/survey.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { progress } from '../key-jobs.ts';
import { bold, out, table } from '../terminal.ts';

const DAY_MS = 86_400_000;

/** Ages, versions, what is left and what is due, of a tenant's keys. */
export const keysStatus: Command = {
  usage: '[--tenant T]',
  summary: 'ages and versions of a tenant’s keys, what is left, what is due: exit 1 when a key does not work',
  options: { tenant: { type: 'string' } },
  run: async ({ values, positionals, json }) => {
    if (positionals.length > 0) throw new UsageError('This command takes options only.');
    const tenant = parseTenantId(values['tenant'] ?? 'riverside');
    const { composed } = await composeHere();
    const { tell, end } = progress();
    try {
      const onPage = (seen: number): void => tell(() => `${seen} patients looked at`);
      const status = await keyStatus(composed.rotations, tenant, { onPage });
      end();
      out(json ? JSON.stringify(status) : statusText(status));
      return status.wrappingKey.problem === null ? EXIT.ok : EXIT.no;
    } finally {
      await composed.close();
    }
  },
};

function statusText({ tenant, at, wrappingKey, patients, index, jobs }: KeyStatus): string {
  return [
    `${bold(`Keys of ${tenant}`)} at ${time(at)}`,
    '',
    'Wrapping key',
    table(wrappingRows(wrappingKey)),
    '',
    'Patients’ keys',
    table([
      ['patients', String(patients.seen)],
      ...Object.entries(patients.versions).map(([version, n]) => [`at version ${version}`, String(n)]),
      ['older keys not retired', String(patients.rotating)],
      ['oldest key', age(patients.oldest, at)],
      ['newest key', age(patients.newest, at)],
      ['next due', time(patients.dueAt)],
    ]),
    '',
    'Search index key',
    index === null
      ? '  none'
      : table([
          ['version', `${index.version}${index.isRotating ? ', the one before is still read' : ''}`],
          ['made', age(index.createdAt, at)],
          ['next due', time(index.dueAt)],
        ]),
    '',
    'Last jobs',
    jobs.length === 0
      ? '  none'
      : table([['kind', 'state', 'changed', 'left', 'aside', 'job'], ...jobs.map(jobRow)]),
  ].join('\n');
}

function wrappingRows({ keyId, facts, problem, isCurrent }: KeyStatus['wrappingKey']): string[][] {
  const rotation = facts?.rotation;
  return [
    ['key', keyId],
    ...(facts === null ? [] : [['state in KMS', facts.state]]),
    ['works', problem === null ? 'yes' : `no (${problem}): this tenant is shut until it works again`],
    ...(isCurrent === null
      ? []
      : [['wraps by its newest generation', isCurrent ? 'yes' : 'no: run "keys rewrap"']]),
    ...(facts === null
      ? []
      : [
          [
            'rotates by itself',
            rotation ? `every ${rotation.periodDays} days, next ${time(rotation.nextAt)}` : 'no',
          ],
        ]),
  ];
}

const jobRow = ({ kind, state, changed, left, aside, id }: JobView): string[] => [
  ...[kind, state, String(changed), String(left), String(aside), id],
];

const time = (at: number | null): string =>
  at === null ? 'unknown' : `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const age = (at: number | null, now: number): string =>
  at === null ? 'none' : `${time(at)} (${Math.floor(Math.max(0, now - at) / DAY_MS)} days old)`;
