import type { CollectionReference, DocumentReference, Firestore } from 'firebase-admin/firestore';
import type { Collection, Ref } from '../../kernel/collection.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { CELL_MS } from '../../kernel/store.ts';

/** Where things lie: `tenants/{tenant}/{collection}/{id}`, and time cells in `tenants/{tenant}/cells`. */

const CELL_DIGITS = 9;

/** Firestore reserves ids of the form `__…__`; a full stop, which no id has, makes them ordinary. */
export const docId = (id: string): string => (/^__.*__$/.test(id) ? `${id}.` : id);
/** The id of the row in the document `name`. */
export const rowId = (name: string): string => (name.endsWith('.') ? name.slice(0, -1) : name);

export const collectionAt = (db: Firestore, tenant: TenantId, of: Collection): CollectionReference =>
  db.collection(`tenants/${tenant}/${of.name}`);

export const rowAt = (db: Firestore, tenant: TenantId, at: Ref): DocumentReference =>
  collectionAt(db, tenant, at.collection).doc(docId(at.id));

export const cellsAt = (db: Firestore, tenant: TenantId): CollectionReference =>
  db.collection(`tenants/${tenant}/cells`);

/** `resource_000000000`: zero padded, so that the ids of one resource sort by time. */
export const cellId = (resource: string, at: number): string =>
  `${resource}_${String(at / CELL_MS).padStart(CELL_DIGITS, '0')}`;

/** The start of the cell `id` of `resource`; null when the id belongs to a resource of a longer name. */
export function cellStart(resource: string, id: string): number | null {
  if (id.length !== resource.length + 1 + CELL_DIGITS) return null;
  return Number(id.slice(-CELL_DIGITS)) * CELL_MS;
}
