import { collection, type Row, ref } from '../kernel/collection.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { fromUtf8, toBase64url, toUtf8 } from './bytes.ts';
import { AuditError } from './errors.ts';
import { nodeSha256 } from './node-sha256.ts';
import type { Outside } from './outside.ts';
import { type NoteKey, noteKey } from './signed-note.ts';
import { formatTrustedKey, parseTrustedKeys, type TrustedKey } from './trusted-keys.ts';

/** Which keys sign a tenant's checkpoints, `active` or `retired`. Readers take keys from outside, never from here. */
export const auditSigners = collection('auditSigners', {
  keyId: 'text',
  publicKey: 'bytes',
  state: 'text',
});

const MAX_SIGNERS = 50;

/** Where a tenant's keys are kept. */
export interface KeyPlaces {
  readonly store: Store;
  readonly outside: Outside;
  readonly tenant: TenantId;
  readonly origin: string;
}

/** The keys as stated outside: what a reader goes by who has pinned none. */
export async function statedKeys({ outside, tenant }: KeyPlaces): Promise<TrustedKey[]> {
  const lines: string[] = [];
  for await (const bytes of outside.all(tenant, 'key')) lines.push(fromUtf8(bytes));
  return parseTrustedKeys(nodeSha256, lines.join('\n'));
}

/** The keys that sign now, by the log's own registry. */
export async function activeSigners({
  store,
  tenant,
  origin,
}: KeyPlaces): Promise<{ readonly keyId: string; readonly key: NoteKey }[]> {
  const rows = await store
    .tenant(tenant)
    .list(auditSigners, { equals: { state: 'active' }, limit: MAX_SIGNERS });
  return rows.map(({ row }) => ({ keyId: row.keyId, key: keyOf(origin, row) }));
}

/**
 * Lets one more key sign, beside those that do already: auditors pin it during the overlap. Stated outside first, so
 * that no checkpoint is ever signed by a key that nobody was told of. Safe to repeat.
 */
export async function addSigner(
  places: KeyPlaces,
  signer: { keyId: string; publicKey: Uint8Array },
): Promise<NoteKey> {
  const key = keyOf(places.origin, signer);
  const stated = await statedKeys(places);
  if (!stated.some((known) => sameKey(known.key, key))) await state(places, { key, until: null });
  const row = { ...signer, state: 'active' };
  await places.store.tenant(places.tenant).transact(async (tx) => {
    const [existing] = await tx.get(signerRef(key));
    if (existing === null) tx.create(signerRef(key), row);
  });
  return key;
}

/**
 * Ends a key: what it signs after the last checkpoint is refused from now on.
 *
 * @throws AuditError `NO_SIGNER` when no other key is active.
 */
export async function retireSigner(
  places: KeyPlaces,
  key: NoteKey,
  last: { size: number; time: number },
): Promise<void> {
  const others = (await activeSigners(places)).filter((active) => !sameKey(active.key, key));
  if (others.length === 0)
    throw new AuditError('NO_SIGNER', 'That is the only key that signs. Add its successor first.');
  await state(places, { key, until: last });
  await places.store.tenant(places.tenant).transact(async (tx) => {
    const [row] = await tx.get(signerRef(key));
    if (row !== null) tx.put(signerRef(key), { ...row, state: 'retired' });
  });
}

async function state({ outside, tenant }: KeyPlaces, trusted: TrustedKey): Promise<void> {
  const bytes = toUtf8(`${formatTrustedKey(trusted)}\n`);
  for (;;) {
    const last = await outside.latest(tenant, 'key');
    if (await outside.append(tenant, 'key', (last?.number ?? 0) + 1, bytes)) return;
  }
}

const keyOf = (origin: string, { publicKey }: Pick<Row<typeof auditSigners.columns>, 'publicKey'>): NoteKey =>
  noteKey(nodeSha256, { name: origin, publicKey });
const signerRef = ({ publicKey }: NoteKey) => ref(auditSigners, toBase64url(publicKey));
const sameKey = (a: NoteKey, b: NoteKey): boolean => toBase64url(a.publicKey) === toBase64url(b.publicKey);
