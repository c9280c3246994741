import { hash } from 'node:crypto';
import { collection, type Ref, type Row, ref } from '../kernel/collection.ts';
import type { PatientId, TenantId, UserId } from '../kernel/ids.ts';
import type { Store, Transaction } from '../kernel/store.ts';

/** What can stand between a person and somebody else's chart. */
export const RELATIONSHIP_KINDS = ['proxy', 'care-team'] as const;
export type RelationshipKind = (typeof RELATIONSHIP_KINDS)[number];
/** As a policy sees it: `self` is the own chart, `none` is nothing, or something that is over. */
export const RELATIONSHIPS = ['none', 'self', ...RELATIONSHIP_KINDS] as const;
export type Relationship = (typeof RELATIONSHIPS)[number];

/** Who may act for, or treats, which patient, and until when. One between two; id = {@link pairId}. */
export const relationships = collection('relationships', {
  user: 'text',
  patient: 'text',
  kind: 'text',
  expiresAt: 'instant',
});

/** Two people of one clinic. */
export interface Pair {
  readonly user: UserId;
  readonly patient: PatientId;
}

/** A row id for two opaque ids: fixed length, and no two pairs share one. */
export const pairId = ({ user, patient }: Pair): string => hash('sha256', `${user}\0${patient}`, 'base64url');

/** Where the relationship of these two is. */
export const relationshipRef = (pair: Pair): Ref<typeof relationships.columns> =>
  ref(relationships, pairId(pair));

/** What a stored relationship is worth at `now`. It is over at the very instant of its end. */
export function relationshipAt(
  row: Row<typeof relationships.columns> | null,
  pair: Pair,
  now: number,
): RelationshipKind | 'none' {
  if (row === null || row.user !== pair.user || row.patient !== pair.patient || row.expiresAt <= now)
    return 'none';
  return RELATIONSHIP_KINDS.find((kind) => kind === row.kind) ?? 'none';
}

/** Makes, renews or replaces a relationship. Takes effect on the next call. */
export function putRelationship(
  tx: Transaction,
  relationship: Pair & { kind: RelationshipKind; expiresAt: number },
): void {
  const { user, patient, kind, expiresAt } = relationship;
  tx.put(relationshipRef(relationship), { user, patient, kind, expiresAt });
}

/** Ends a relationship. Takes effect on the next call. */
export function endRelationship(tx: Transaction, pair: Pair): void {
  tx.delete(relationshipRef(pair));
}

/** At most so many charts are named to one person. */
const MAX_NAMED = 50;

/** The charts that a person acts for or treats at `now`, by handle. */
export async function relationshipsOf(
  store: Store,
  who: { tenant: TenantId; user: UserId },
  now: number,
): Promise<{ patient: PatientId; kind: RelationshipKind }[]> {
  const rows = await store
    .tenant(who.tenant)
    .list(relationships, { equals: { user: who.user }, limit: MAX_NAMED });
  return rows.flatMap(({ row }) => {
    const pair = { user: who.user, patient: row.patient as PatientId };
    const kind = relationshipAt(row, pair, now);
    return kind === 'none' ? [] : [{ patient: pair.patient, kind }];
  });
}
