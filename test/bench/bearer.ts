import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { type BearerOptions, verifyBearer } from '../../src/access/bearer.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import type { Bench, BenchOptions, Measured } from './bench.ts';

const ISSUER = 'https://clinic.example';
const AUDIENCE = `${ISSUER}/mcp`;

/** What a call pays before anything of it is looked at. */
export const BEARER_BENCHES: readonly Bench[] = [
  { name: 'access-bearer', unit: 'us', target: 1.5, measure: bearer },
];

/** Verifying a token, against the bare signature check of the same bytes by node's own crypto. */
async function bearer(options: BenchOptions): Promise<Measured> {
  const { token, jwk } = await signed();
  const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  const bearerOptions: BearerOptions = {
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: createLocalJWKSet({ keys: [jwk] }),
    clock: systemClock,
  };
  const header = `Bearer ${token}`;
  return compareAsync(
    async () => verifyBearer(header, bearerOptions),
    async () => bareVerify(token, key),
    options,
  );
}

function bareVerify(token: string, key: KeyObject): void {
  const end = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(end + 1), 'base64url');
  const good = verify(
    'sha256',
    Buffer.from(token.slice(0, end)),
    { key, dsaEncoding: 'ieee-p1363' },
    signature,
  );
  if (!good) throw new Error('The floor does not verify.');
}

async function signed(): Promise<{ token: string; jwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const now = Math.floor(Date.now() / 1000);
  const token = await new SignJWT({
    tenant: 'riverside',
    client_id: 'client-1',
    grant_id: 'grant-1',
    scope: 'patient/Patient.rs patient/*.rs patient/Appointment.crus',
    jti: 'j1',
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject('usr_john')
    .setIssuedAt(now)
    .setExpirationTime(now + 600)
    .sign(privateKey);
  return { token, jwk: { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' } };
}

const BATCH = 50;

/** As `compare`, for work that answers later: one after the other, batches in turn, the best of each. */
async function compareAsync(
  work: () => Promise<unknown>,
  floor: () => Promise<unknown>,
  { quick }: BenchOptions,
): Promise<Measured> {
  const best = { value: Number.POSITIVE_INFINITY, floor: Number.POSITIVE_INFINITY };
  for (let round = -5; round < (quick ? 20 : 100); round += 1) {
    const value = await timeBatch(work);
    const bare = await timeBatch(floor);
    if (round < 0) continue;
    best.value = Math.min(best.value, value);
    best.floor = Math.min(best.floor, bare);
  }
  return best;
}

async function timeBatch(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let call = 0; call < BATCH; call += 1) await work();
  return ((performance.now() - start) * 1_000) / BATCH;
}
