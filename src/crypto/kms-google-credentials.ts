import type { KMSClientConfig } from '@aws-sdk/client-kms';
import { fromWebToken } from '@aws-sdk/credential-provider-web-identity';
import { CryptoError } from './errors.ts';

/** How a function on Google Cloud becomes a role in AWS without a stored secret. */
export interface GoogleWebIdentityOptions {
  /** The role to assume; its trust policy names this function's service account. */
  readonly roleArn: string;
  /** The `aud` of the identity token, which the trust policy matches as `accounts.google.com:oaud`. */
  readonly audience: string;
  /** What a tenant's session may do, as an IAM policy; {@link tenantSessionPolicy} unless given. */
  readonly sessionPolicyFor?: (tenant: string) => object;
  /** Where the identity token comes from; {@link metadataToken} unless given. */
  readonly fetchToken?: (audience: string) => Promise<string>;
  /** STS's Region, `us-east-1` unless given, and for an emulator its address. */
  readonly sts?: { readonly region?: string; readonly endpoint?: string };
}

const METADATA =
  'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity';
const TOKEN_MS = 3_000;
/** Of a session, in seconds. The SDK renews it five minutes before. */
const SESSION_S = 3_600;
const SESSION_NAME = 'chartseal';

/**
 * Credentials for each tenant, for `KmsKeyring`'s `clientFor`: a fresh identity token at each refresh, exchanged
 * by AssumeRoleWithWebIdentity for a session that KMS lets act for this tenant's encryption context alone.
 *
 * @returns a function from a tenant to an SDK credential provider, which throws CryptoError `KMS_UNAVAILABLE`
 * when there is no token, and what STS answers.
 */
export function googleWebIdentity(options: GoogleWebIdentityOptions) {
  const { roleArn, audience, sessionPolicyFor = tenantSessionPolicy, fetchToken = metadataToken } = options;
  const clientConfig = {
    region: 'us-east-1',
    ...options.sts,
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
  };
  return (tenant: string): Extract<KMSClientConfig['credentials'], () => unknown> =>
    async () => {
      const assume = fromWebToken({
        roleArn,
        roleSessionName: SESSION_NAME,
        durationSeconds: SESSION_S,
        policy: JSON.stringify(sessionPolicyFor(tenant)),
        webIdentityToken: await fetchToken(audience),
        clientConfig,
      });
      return assume();
    };
}

/** The data key operations, and only under this tenant's encryption context. A session never exceeds its role. */
export function tenantSessionPolicy(tenant: string): object {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['kms:GenerateDataKey', 'kms:Decrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
        Resource: '*',
        Condition: { StringEquals: { 'kms:EncryptionContext:tenant': tenant } },
      },
    ],
  };
}

/** What the role that makes and ends keys may do; no data key is among it. */
export const epochSessionPolicy = (): object => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }],
});

/**
 * This machine's identity token from Google's metadata server. `format=full` makes it name the service account.
 *
 * @throws CryptoError `KMS_UNAVAILABLE` when the server gives none within 3 s.
 */
export async function metadataToken(audience: string): Promise<string> {
  const url = `${METADATA}?${new URLSearchParams({ audience, format: 'full' })}`;
  try {
    const response = await fetch(url, {
      headers: { 'Metadata-Flavor': 'Google' },
      redirect: 'error',
      signal: AbortSignal.timeout(TOKEN_MS),
    });
    if (response.ok) return (await response.text()).trim();
  } catch {
    // Falls through: whatever went wrong, there is no token.
  }
  throw new CryptoError(
    'KMS_UNAVAILABLE',
    'Google’s metadata server gave no identity token. Run on Google Cloud, or give other AWS credentials.',
  );
}
