import { equalBytes } from '../../audit/bytes.ts';
import { AuditError } from '../../audit/errors.ts';
import type { CheckpointStore } from '../../audit/outside.ts';
import { attempt, isPassing } from '../attempt.ts';

/** A bucket to keep checkpoints in. */
export interface CheckpointBucket {
  /** `https://storage.googleapis.com/BUCKET`, or an S3 bucket's address. */
  readonly url: string;
  /** How the bucket is told to keep what is there: Cloud Storage's XML API, or S3. */
  readonly condition: 'gcs' | 's3';
  /** Headers that authorise one request: a bearer token, or a signature. */
  readonly authorize: (request: { method: string; url: string }) => Promise<Readonly<Record<string, string>>>;
}

const CONDITIONS = {
  gcs: { 'x-goog-if-generation-match': '0' },
  s3: { 'if-none-match': '*' },
} as const;
const TIMEOUT_MS = 5_000;
const MAX_OBJECT = 65_536;

/**
 * Checkpoints in a bucket. Give it a retention policy and lock that: then nobody, not even its owner, replaces one.
 * A call takes at most 3 attempts of 5 s each.
 */
export function openCheckpointBucket(bucket: CheckpointBucket): CheckpointStore {
  const call = async (method: 'GET' | 'PUT', name: string, body?: Uint8Array) => {
    const { response, attempts } = await attempt(async () => {
      const url = `${bucket.url}/${name}`;
      return fetch(url, {
        method,
        headers: {
          ...(await bucket.authorize({ method, url })),
          ...(body === undefined ? {} : { ...CONDITIONS[bucket.condition], 'content-type': 'text/plain' }),
        },
        ...(body === undefined ? {} : { body: new Uint8Array(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    });
    if (response === null || isPassing(response.status)) throw unavailable(response?.status ?? 0);
    return { response, attempts };
  };
  const get = async (name: string): Promise<Uint8Array | null> => {
    const { response } = await call('GET', name);
    if (response.status === 404) return null;
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.status !== 200 || bytes.length > MAX_OBJECT) throw unavailable(response.status);
    return bytes;
  };
  return {
    get,
    putIfAbsent: async (name, bytes) => {
      const { response, attempts } = await call('PUT', name, bytes);
      if (response.ok) return true;
      if (response.status !== 412) throw unavailable(response.status);
      // What is there may be ours: a first attempt can have been kept though its answer was lost.
      return attempts > 1 && equalBytes((await get(name)) ?? new Uint8Array(), bytes);
    },
  };
}

const unavailable = (status: number): AuditError =>
  new AuditError(
    'OUTSIDE_UNAVAILABLE',
    `The checkpoint bucket did not answer as it should (${status === 0 ? 'no answer' : `HTTP ${status}`}). Check its name and rights.`,
    { retryable: true },
  );
