import { KMSClient, type KMSClientConfig } from '@aws-sdk/client-kms';

/** The clients of so many tenants are kept; the one used longest ago goes first, and its credentials with it. */
const MAX_CLIENTS = 100;

/** At most 3 attempts with the SDK's jittered backoff; 2 s to connect, 4 s for an answer. */
const BOUNDS: KMSClientConfig = {
  maxAttempts: 3,
  retryMode: 'standard',
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
};

/**
 * One KMS client for each Region and, where tenants have credentials of their own, each tenant. They share their
 * connections. A call goes to the Region that the key's ARN names: a tenant's key may be elsewhere than ours.
 */
export class KmsClients {
  readonly #shared: KMSClientConfig;
  readonly #clientFor: ((tenant: string) => KMSClientConfig) | undefined;
  readonly #clients = new Map<string, KMSClient>();

  constructor(
    client: KMSClientConfig = {},
    clientFor: ((tenant: string) => KMSClientConfig) | undefined = undefined,
  ) {
    const { requestHandler } = new KMSClient({ region: 'us-east-1', ...BOUNDS, ...client }).config;
    this.#shared = { ...BOUNDS, ...client, requestHandler };
    this.#clientFor = clientFor;
  }

  /** The client for a key, by its full ARN, on behalf of a tenant. */
  of(keyArn: string, tenant: string): KMSClient {
    const region = keyArn.split(':')[3] ?? '';
    const name = this.#clientFor === undefined ? region : `${tenant}/${region}`;
    const client =
      this.#clients.get(name) ?? new KMSClient({ ...this.#shared, ...this.#clientFor?.(tenant), region });
    this.#clients.delete(name);
    this.#clients.set(name, client);
    for (const oldest of this.#clients.keys()) {
      if (this.#clients.size <= MAX_CLIENTS) break;
      this.#clients.delete(oldest);
    }
    return client;
  }

  get size(): number {
    return this.#clients.size;
  }
}
