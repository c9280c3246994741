import { tenants } from '../../clinic/clinic.ts';
import type { Collection } from '../../kernel/collection.ts';

/**
 * A backup is three sets of files, which can lie in different places for different times: `data`, all that is sealed and
 * what holds it together; `keys`, the wrapped keys, without which nothing of it opens; `log`, the audit log.
 */
export const SETS = ['data', 'keys', 'log'] as const;
export type BackupSet = (typeof SETS)[number];

/** Where a collection's rows go; `never` for what must not outlive its moment: sessions, grants, limits, jobs. */
export type Kept = BackupSet | 'never';

/** Every collection and where it goes. One that is not named is in no backup. */
export type BackupPlan = ReadonlyMap<Collection, Kept>;

/** The part of a set that is no collection: which times are taken. */
export const CLAIMS = 'timeClaims';

/** The registry's row names the wrapping key, and is the system tenant's: it is read and written apart. */
export const collectionsOf = (plan: BackupPlan, set: Kept): Collection[] =>
  [...plan].filter(([of, kept]) => kept === set && of.name !== tenants.name).map(([of]) => of);
