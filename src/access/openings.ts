import { hash } from 'node:crypto';
import { collection, type Ref, type Row, ref } from '../kernel/collection.ts';
import type { PatientId, UserId } from '../kernel/ids.ts';

/**
 * Which charts a person, or a client, opened within the last hour: tag of a chart → when it was first opened (ms).
 * A row is written only when a chart is new in that hour, so its writes are bounded by the limit itself; a client,
 * which many people share, is spread over {@link SHARDS} rows.
 */
export const chartOpenings = collection('chartOpenings', { charts: 'json', changedAt: 'instant' });

/** Rows of one client. */
export const SHARDS = 8;
/** How long an opening counts. */
export const WINDOW_MS = 3_600_000;

/** Who opens charts: a person, by an app. */
export interface Opener {
  readonly user: UserId;
  readonly client: string;
}

/** One person's, or one client's, rows as a guard reads them. */
export type OpeningsRow = Row<typeof chartOpenings.columns>;

/** Stands for a chart in these rows; handles are random, so it tells nothing. */
export const tagOf = (patient: PatientId): string => hash('sha256', patient, 'base64url').slice(0, 12);

/** The person's row. */
export const personOpenings = (user: UserId): Ref<typeof chartOpenings.columns> =>
  ref(chartOpenings, `p_${hash('sha256', user, 'base64url')}`);

/** The client's row that this chart belongs into. */
export const clientOpenings = (client: string, patient: PatientId): Ref<typeof chartOpenings.columns> =>
  shardOf(client, tagOf(patient).charCodeAt(0) % SHARDS);

/** All rows of a client. */
export const allClientOpenings = (client: string): Ref<typeof chartOpenings.columns>[] =>
  Array.from({ length: SHARDS }, (_, shard) => shardOf(client, shard));

const shardOf = (client: string, shard: number): Ref<typeof chartOpenings.columns> =>
  ref(chartOpenings, `c_${hash('sha256', client, 'base64url')}_${shard}`);

/** The openings of a row that still count at `now`. */
export function openingsAt(row: OpeningsRow | null, now: number): Map<string, number> {
  const entries = Object.entries((row?.charts ?? {}) as Record<string, number>);
  return new Map(entries.filter(([, at]) => at > now - WINDOW_MS));
}
