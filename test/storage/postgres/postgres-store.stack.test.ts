import { inject } from 'vitest';
import { ensureSchema } from '../../../src/storage/postgres/ensure-schema.ts';
import { openPostgresStore } from '../../../src/storage/postgres/open-store.ts';
import { CONTRACT_COLLECTIONS } from '../../contracts/store/subject.ts';
import { describeStore } from '../../contracts/store.contract.ts';

const { adminConnectionString, appConnectionString } = inject('postgres');

describeStore(
  'PostgreSQL',
  async () => {
    await ensureSchema(adminConnectionString, CONTRACT_COLLECTIONS);
    const url = new URL(appConnectionString);
    return {
      address: { host: url.hostname, port: Number(url.port) },
      open: (address) => {
        const target = new URL(url);
        if (address !== undefined) target.host = `${address.host}:${address.port}`;
        return openPostgresStore({ connectionString: target.href });
      },
    };
  },
  50,
);
