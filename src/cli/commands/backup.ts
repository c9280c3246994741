import { BACKUP_PLAN } from '../../backup-plan.ts';
import { parseTenantId } from '../../kernel/ids.ts';
import { backupTenant, type Made } from '../../lifecycle/backup/make-backup.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { progress, startOf } from '../key-jobs.ts';
import { out, table } from '../terminal.ts';

/** Copies a tenant into files, as it is stored: sealed, with the wrapped keys and the log apart. */
export const backup: Command = {
  usage: 'FOLDER [--tenant T]',
  summary: 'copy a tenant as it is stored into FOLDER/data, FOLDER/keys and FOLDER/log; nothing is opened',
  options: { tenant: { type: 'string' } },
  run: async ({ values, positionals: [to, ...more], json }) => {
    if (to === undefined || more.length > 0) throw new UsageError('Name one folder: chartseal backup FOLDER');
    const tenant = parseTenantId(values['tenant'] ?? 'riverside');
    const { composed } = await composeHere();
    const { tell, end } = progress();
    try {
      const { store, services, proof } = composed;
      const { audit, clock } = services;
      const house = { store, audit, clock, outside: proof?.outside ?? null, plan: BACKUP_PLAN };
      const onRows = (part: string, rows: number): void => tell(() => `${part}: ${rows} rows`);
      const made = await backupTenant(house, tenant, { to, by: startOf({}).by, onRows });
      end();
      out(json ? JSON.stringify({ tenant, folder: to, ...made }) : sentence(tenant, to, made));
      return EXIT.ok;
    } finally {
      end();
      await composed.close();
    }
  },
};

const sentence = (tenant: string, to: string, { backup: id, takenAt, logSize, rows }: Made): string =>
  [
    `${tenant} as it was ${new Date(takenAt).toISOString()}. Every part was read again.`,
    table([
      ['backup', id],
      [`${to}/data`, `${rows.data} rows`],
      [`${to}/keys`, `${rows.keys} rows`],
      [`${to}/log`, `${rows.log} rows, ${logSize} events sequenced`],
    ]),
    'Move keys to a place of their own: with them and the KMS key the data opens.',
  ].join('\n');
