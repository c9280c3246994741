import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';

/** Secrets of the local stack, made once and kept in its data folder. */
export interface StackSecrets {
  /** JSON array of private ES256 JWKs, as CHARTSEAL_SIGNING_KEYS wants it. */
  readonly signingKeys: string;
  readonly cookieKeys: string;
}

/** Reads the local stack's secrets, or makes them at the first start. */
export async function stackSecrets(dataDir: string): Promise<StackSecrets> {
  const file = join(dataDir, 'secrets.json');
  const kept = await readFile(file, 'utf8').catch(() => null);
  if (kept !== null) return JSON.parse(kept) as StackSecrets;
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const kid = randomBytes(9).toString('base64url');
  const signingKeys = JSON.stringify([{ ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' }]);
  const made = { signingKeys, cookieKeys: randomBytes(32).toString('base64url') };
  await mkdir(dataDir, { recursive: true, mode: 0o711 });
  await writeFile(file, JSON.stringify(made), { mode: 0o600 });
  return made;
}
