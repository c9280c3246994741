import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type ImportedSchedules, importSchedules } from '../../clinic/import-schedules.ts';
import { SCHEDULE_LIMITS, type SourceFile } from '../../clinic/schedule-file.ts';
import { parseTenantId, type TenantId } from '../../kernel/ids.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { out, table } from '../terminal.ts';

/** Takes published schedules into a clinic's availability. */
export const scheduleImport: Command = {
  usage: 'FILE… [--tenant T] [--visit-type ID]',
  summary: 'published schedules (NDJSON or FHIR bundle) become availability',
  options: { tenant: { type: 'string' }, 'visit-type': { type: 'string' } },
  run: async ({ values, positionals, json }) => {
    if (positionals.length === 0) throw new UsageError('Name a file: chartseal schedule import FILE…');
    const tenant = parseTenantId(values['tenant'] ?? 'riverside');
    const files = await Promise.all(positionals.map(sourceOf));
    const { composed } = await composeHere();
    try {
      const { store, audit, clock } = composed.services;
      const visitType = values['visit-type'] as string | undefined;
      const into = { tenant, store, audit, by: 'operator', now: clock(), visitType };
      const done = await importSchedules(files, into);
      out(json ? JSON.stringify({ tenant, ...done }) : report(tenant, done));
      return EXIT.ok;
    } finally {
      await composed.close();
    }
  },
};

async function sourceOf(file: string): Promise<SourceFile> {
  const size = await stat(file).then(
    (found) => found.size,
    () => -1,
  );
  if (size < 0) throw new UsageError('That file cannot be read. Check the path.');
  if (size > SCHEDULE_LIMITS.bytes) throw new UsageError('A file is over 16 MiB. Nothing was imported.');
  return { name: basename(file), text: await readFile(file, 'utf8') };
}

function report(tenant: TenantId, { people, slots, left }: ImportedSchedules): string {
  const rows = people.map(({ id, outcome, free, busy }) => [id, outcome, String(free), String(busy)]);
  const lines = [
    `${slots} slots of ${people.length} people in ${tenant}; past ones are left out, and those that touch are one span.`,
    '',
    table([['who', 'row', 'free spans', 'busy spans'], ...rows]),
  ];
  const others = Object.entries(left).map(([type, count]) => [type, String(count)]);
  if (others.length > 0) lines.push('', 'Left out (no part of a schedule)', table(others));
  return lines.join('\n');
}
