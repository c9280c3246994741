import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { KmsError } from './errors.ts';

/** What temporary credentials stand for. The session token carries it sealed, so that it outlives a restart. */
export interface Session {
  readonly accessKeyId: string;
  readonly roleArn: string;
  readonly sessionName: string;
  /** JSON, or null when the role was assumed without one. */
  readonly policy: string | null;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** Seals a session under the 32-byte session secret. */
export function sealSession(session: Session, secret: Buffer): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', secret, iv, { authTagLength: 16 });
  const sealed = Buffer.concat([cipher.update(JSON.stringify(session)), cipher.final()]);
  return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64');
}

/**
 * The session behind a token and its access key id.
 *
 * @throws KmsError `UnrecognizedClientException` when the two do not belong together or the token is not ours,
 * `ExpiredTokenException` after its time.
 */
export function openSession(
  token: string,
  { secret, accessKeyId, now }: { secret: Buffer; accessKeyId: string; now: number },
): Session {
  const session = unseal(Buffer.from(token, 'base64'), secret);
  if (session?.accessKeyId !== accessKeyId) throw unrecognized();
  if (now >= session.expiresAt) {
    throw new KmsError('ExpiredTokenException', 'The security token included in the request is expired');
  }
  return session;
}

/** The error for credentials that name no session. */
export const unrecognized = (): KmsError =>
  new KmsError('UnrecognizedClientException', 'The security token included in the request is invalid.');

function unseal(token: Buffer, secret: Buffer): Session | null {
  if (token.length < 28) return null;
  const decipher = createDecipheriv('aes-256-gcm', secret, token.subarray(0, 12), { authTagLength: 16 });
  decipher.setAuthTag(token.subarray(-16));
  try {
    const text = Buffer.concat([decipher.update(token.subarray(12, -16)), decipher.final()]);
    return JSON.parse(text.toString('utf8')) as Session;
  } catch {
    return null;
  }
}
