import { cutOldEvents, DEFAULT_YEARS, FLOOR_YEARS } from '../../audit/retention.ts';
import type { Composed } from '../../compose.ts';
import { parseTenantId } from '../../kernel/ids.ts';
import type { Store } from '../../kernel/store.ts';
import { openPostgresStore } from '../../storage/postgres/open-store.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { out } from '../terminal.ts';

const MAX_YEARS = 100;

/** Cuts the oldest events of a log; hashes stay, and so do all proofs over the rest. */
export const auditCut: Command = {
  usage: '[--years N] [--tenant T] [--dry-run]',
  summary: `cut audit events older than ${DEFAULT_YEARS} years (never younger than ${FLOOR_YEARS}); the cut is logged`,
  options: { tenant: { type: 'string' }, years: { type: 'string' }, 'dry-run': { type: 'boolean' } },
  run: async ({ values, positionals, json }) => {
    if (positionals.length > 0) throw new UsageError('This command takes options only.');
    const tenant = parseTenantId(values['tenant'] ?? 'riverside');
    const years = yearsOf(values['years']);
    const dryRun = values['dry-run'] === true;
    const { composed, env } = await composeHere();
    const owner = ownerOf(composed, env);
    try {
      const parts = { store: owner, audit: composed.services.audit, now: Date.now() };
      const cut = await cutOldEvents(parts, tenant, { years, by: 'operator', dryRun });
      out(json ? JSON.stringify({ tenant, years, dryRun, ...cut }) : sentence(cut, { years, dryRun }));
      return EXIT.ok;
    } finally {
      if (owner !== composed.store) await owner.close();
      await composed.close();
    }
  },
};

function yearsOf(value: unknown): number {
  if (value === undefined) return DEFAULT_YEARS;
  const years = Number(value);
  if (!Number.isInteger(years) || years > MAX_YEARS)
    throw new UsageError(`--years is a whole number of ${FLOOR_YEARS} or more.`);
  return years;
}

/** On PostgreSQL the server's role may delete no event: whoever owns the database names it for this command. */
function ownerOf({ store }: Composed, env: Readonly<Record<string, string | undefined>>): Store {
  if (store.kind === 'firestore') return store;
  const url = env['CHARTSEAL_DATABASE_OWNER_URL'];
  if (url === undefined)
    throw new UsageError(
      'Set CHARTSEAL_DATABASE_OWNER_URL: the server’s own role may not delete audit events.',
    );
  return openPostgresStore({ connectionString: url });
}

function sentence({ deleted }: { deleted: number }, how: { years: number; dryRun: boolean }): string {
  if (deleted === 0) return `No event is older than ${how.years} years. Nothing was cut.`;
  return how.dryRun
    ? `${deleted} events are older than ${how.years} years. Nothing was cut: leave out --dry-run to cut them.`
    : `${deleted} events older than ${how.years} years were cut. Their hashes stay: "chartseal audit verify" still proves the rest.`;
}
