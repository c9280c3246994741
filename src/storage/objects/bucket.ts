import { DocumentError } from '../../clinic/documents/errors.ts';
import { checkObjectName, LISTED, type ObjectStore } from '../../clinic/documents/object-store.ts';
import { MAX_PLAINTEXT, SEAL_OVERHEAD } from '../../crypto/sealed-value.ts';
import { attempt } from '../attempt.ts';

/** A bucket of Cloud Storage, spoken to through its JSON API. */
export interface ObjectBucket {
  /** `https://storage.googleapis.com`, or an emulator's address. */
  readonly url: string;
  readonly bucket: string;
  /** Headers that authorise one request. */
  readonly authorize: () => Promise<Readonly<Record<string, string>>>;
}

const TIMEOUT_MS = 10_000;
/** No object is larger: one sealed chunk. */
const MAX_OBJECT = MAX_PLAINTEXT + SEAL_OVERHEAD;

/** Objects in a bucket. A call takes at most 3 attempts of 10 s each; an upload is one request, for it is one chunk. */
export function openObjectBucket({ url, bucket, authorize }: ObjectBucket): ObjectStore {
  const objects = `${url}/storage/v1/b/${bucket}/o`;
  const at = (name: string): string => {
    checkObjectName(name);
    return `${objects}/${encodeURIComponent(name)}`;
  };
  const call = (method: string, address: string, body?: Uint8Array) =>
    attempt(async () =>
      fetch(address, {
        method,
        headers: {
          ...(await authorize()),
          ...(body === undefined ? {} : { 'content-type': 'application/octet-stream' }),
        },
        ...(body === undefined ? {} : { body: new Uint8Array(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }),
    );
  const get = async (name: string): Promise<Buffer | null> => {
    const { response } = await call('GET', `${at(name)}?alt=media`);
    if (response?.status === 404) return null;
    if (response?.status !== 200) throw unavailable(response);
    const bytes = await bodyOf(response);
    if (bytes.length > MAX_OBJECT) throw unavailable(response);
    return bytes;
  };
  return {
    get,
    put: async (name, bytes) => {
      checkObjectName(name);
      const query = new URLSearchParams({ uploadType: 'media', name, ifGenerationMatch: '0' });
      const { response, attempts } = await call(
        'POST',
        `${url}/upload/storage/v1/b/${bucket}/o?${query}`,
        bytes,
      );
      if (response?.ok === true) return;
      // What is there may be ours: a first attempt can have been kept though its answer was lost.
      const mayBeOurs = response?.status === 412 && attempts > 1;
      if (!mayBeOurs || (await get(name))?.equals(bytes) !== true) throw unavailable(response);
    },
    list: async (prefix) => {
      const query = new URLSearchParams({ prefix, maxResults: String(LISTED), fields: 'items(name)' });
      const { response } = await call('GET', `${objects}?${query}`);
      if (response?.status !== 200) throw unavailable(response);
      const { items = [] } = JSON.parse((await bodyOf(response)).toString('utf8')) as {
        items?: { name: string }[];
      };
      return items.map(({ name }) => name);
    },
    delete: async (name) => {
      const { response } = await call('DELETE', at(name));
      if (response?.ok !== true && response?.status !== 404) throw unavailable(response);
    },
  };
}

/** An answer may break off after its head. */
async function bodyOf(response: Response): Promise<Buffer> {
  return Buffer.from(
    await response.arrayBuffer().catch(() => {
      throw unavailable(null);
    }),
  );
}

const unavailable = (response: Response | null): DocumentError =>
  new DocumentError(
    'OBJECTS_UNAVAILABLE',
    `The bucket of documents did not answer as it should (${response === null ? 'no answer' : `HTTP ${response.status}`}). Check its name and rights.`,
    { retryable: true },
  );
