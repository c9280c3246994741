import type { AuditEvent } from '../audit/event.ts';
import type { Report } from '../audit/verify/report.ts';
import type { KeyStatus } from '../lifecycle/rotation/survey.ts';
import type { Facts } from './facts.ts';
import { LogWatch } from './scan/log.ts';
import { type RowScan, scanRows } from './scan/rows.ts';

/** Where facts come from. Each answers null for what cannot be found out. */
export interface Sources extends Pick<Facts, 'config' | 'access' | 'brought'> {
  readonly scan: RowScan;
  keys(): Promise<KeyStatus | null>;
  keyPolicy(): Promise<Facts['keyPolicy']>;
  /** Verifies the log, and shows each event. */
  verify(see: (event: AuditEvent) => void): Promise<Report | null>;
  database(): Promise<Facts['database']>;
  transport(): Promise<Facts['transport']>;
  backups(): Promise<Facts['backups']>;
}

/** Gathers everything that the checks look at, once. */
export async function gather(sources: Sources): Promise<Facts> {
  const { scan, config, access, brought } = sources;
  const log = new LogWatch();
  const verified = await sources.verify((event) => log.see(event));
  const rows = await scanRows(scan);
  return {
    ...{ tenant: scan.tenant, at: scan.now, config, access, brought, rows, verified },
    log: verified === null ? null : log.facts,
    keys: await sources.keys(),
    keyPolicy: await sources.keyPolicy(),
    database: await sources.database(),
    transport: await sources.transport(),
    backups: await sources.backups(),
  };
}
