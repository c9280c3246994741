import { AuditError } from '../../audit/errors.ts';

const METADATA = 'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token';
const TIMEOUT_MS = 3_000;
/** A token is not used in the last minute of its life. */
const MARGIN_MS = 60_000;

/** Headers with the access token of the Google identity that this process runs as. Asks once for each token's life. */
export function googleAuthorization(url: string = METADATA): () => Promise<{ authorization: string }> {
  let token: { value: string; until: number } | null = null;
  return async () => {
    if (token === null || Date.now() > token.until) token = await fetchToken(url);
    return { authorization: `Bearer ${token.value}` };
  };
}

async function fetchToken(url: string): Promise<{ value: string; until: number }> {
  try {
    const response = await fetch(url, {
      headers: { 'metadata-flavor': 'Google' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { access_token, expires_in } = (await response.json()) as Record<string, unknown>;
    if (typeof access_token === 'string' && typeof expires_in === 'number')
      return { value: access_token, until: Date.now() + expires_in * 1_000 - MARGIN_MS };
  } catch {
    // Falls through: whatever it was, there is no token.
  }
  throw new AuditError('OUTSIDE_UNAVAILABLE', 'Google gave no access token for the checkpoint bucket.', {
    retryable: true,
  });
}
