import type { JWTVerifyGetKey } from 'jose';
import { KeysError } from './access/remote-keys.ts';
import { parseCheckpoint } from './audit/checkpoint.ts';
import { parseNote } from './audit/signed-note.ts';
import { MAX_AGE_MS } from './audit/verify/verify-log.ts';
import { tenants } from './clinic/clinic.ts';
import type { HttpParts } from './compose-parts.ts';
import { CryptoError, type CryptoErrorCode } from './crypto/errors.ts';
import { rootKeyOf } from './crypto/wrapped-kinds.ts';
import { type Part, type PartState, type Readiness, readiness } from './http/readiness.ts';
import { SYSTEM_TENANT, type TenantId } from './kernel/ids.ts';

/** Store and keys of the issuer are asked as often as that, KMS and the bucket more seldom: each call costs. */
const HOLDS_MS = 10_000;
const COSTLY_MS = 60_000;
/** KMS answered, and one tenant's key is shut: that tenant is, and this server is not. */
const OUT_OF_ORDER: readonly CryptoErrorCode[] = ['KMS_UNAVAILABLE', 'KMS_THROTTLED', 'KMS_DENIED'];

/** What `/readyz` asks: the store, KMS, the issuer's keys, and whether checkpoints are signed. */
export function readyOf(parts: HttpParts, keys: JWTVerifyGetKey): () => Promise<Readiness> {
  const { store, clock } = parts.services;
  const asked = (holdsMs: number, ask: Part['ask']): Part => ({ holdsMs, ask });
  return readiness(
    {
      store: asked(HOLDS_MS, async () => {
        await store.ping();
        return 'ok';
      }),
      kms: asked(COSTLY_MS, () => kmsState(parts)),
      issuerKeys: asked(HOLDS_MS, () => keysState(keys)),
      checkpoint: asked(COSTLY_MS, () => checkpointState(parts)),
    },
    clock,
  );
}

/** Unwraps one tenant's root, past every cache. Without a tenant there is nothing to unwrap. */
async function kmsState({ services: { store }, keyring }: HttpParts): Promise<PartState> {
  const tenant = await someTenant(store);
  const root = tenant === null ? null : await rootKeyOf(store.tenant(tenant), tenant);
  if (root === null) return 'none';
  try {
    await keyring.unwrap(root.wrapped, root.context);
    return 'ok';
  } catch (error) {
    return error instanceof CryptoError && !OUT_OF_ORDER.includes(error.code) ? 'ok' : 'down';
  }
}

/** A key that nobody has is looked for: whether the others are there is what the answer tells. */
async function keysState(keys: JWTVerifyGetKey): Promise<PartState> {
  try {
    await keys({ alg: 'ES256', kid: 'readyz' }, { payload: '', signature: '' });
    return 'ok';
  } catch (error) {
    return error instanceof KeysError ? 'down' : 'ok';
  }
}

/** The time that the last note outside says of itself; who signed it the verifier judges. */
async function checkpointState({ services: { store, clock }, outside }: HttpParts): Promise<PartState> {
  const tenant = outside === null ? null : await someTenant(store);
  if (outside === null || tenant === null) return 'none';
  const last = await outside.latest(tenant, 'checkpoint');
  if (last === null) return 'stale';
  const { time } = parseCheckpoint(parseNote(last.bytes).text);
  return time !== null && clock() - time <= MAX_AGE_MS ? 'ok' : 'stale';
}

async function someTenant(store: HttpParts['services']['store']): Promise<TenantId | null> {
  const [first] = await store.tenant(SYSTEM_TENANT).list(tenants, { limit: 1 });
  return first === undefined ? null : (first.id as TenantId);
}
