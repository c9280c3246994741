import {
  DescribeKeyCommand,
  type KMSClient,
  ListKeysCommand,
  ListResourceTagsCommand,
  type Tag,
} from '@aws-sdk/client-kms';
import { CryptoError } from './errors.ts';
import { callKms } from './kms-call.ts';

/** Keys are found by tags that they get in the call that makes them: there is no moment at which one has none. */

const PREFIX = 'chartseal-';
const PAGE = 1_000;
/** Keys of an account and Region that are looked through. */
const MAX_PAGES = 20;
const AT_ONCE = 8;

/**
 * The key in use that has exactly these tags of ours; null when there is none. KMS cannot be asked by tag: it looks at
 * every key, which is for whoever makes one, not for a request.
 */
export async function findTagged(kms: KMSClient, tags: readonly Tag[]): Promise<string | null> {
  let marker: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const input = { Limit: PAGE, ...(marker !== undefined && { Marker: marker }) };
    const { Keys = [], NextMarker } = await callKms((bound) => kms.send(new ListKeysCommand(input), bound));
    for (let at = 0; at < Keys.length; at += AT_ONCE) {
      const arns = Keys.slice(at, at + AT_ONCE).map(({ KeyArn = '' }) => KeyArn);
      const fit = await Promise.all(arns.map((arn) => hasExactly(kms, arn, tags)));
      for (const arn of arns.filter((_, n) => fit[n])) if (await isEnabled(kms, arn)) return arn;
    }
    if (NextMarker === undefined) return null;
    marker = NextMarker;
  }
  return null;
}

/** Whether a key has at least these tags. */
export async function isTagged(kms: KMSClient, keyArn: string, tags: readonly Tag[]): Promise<boolean> {
  const found = await tagsAt(kms, keyArn);
  return tags.every(({ TagKey = '', TagValue }) => found.get(TagKey) === TagValue);
}

async function hasExactly(kms: KMSClient, keyArn: string, tags: readonly Tag[]): Promise<boolean> {
  // A key that others rule over, or that is gone meanwhile, is not ours.
  const found = await tagsAt(kms, keyArn).catch((error: unknown) => {
    if (error instanceof CryptoError && !error.retryable) return new Map<string, string | undefined>();
    throw error;
  });
  const ours = [...found.keys()].filter((name) => name.startsWith(PREFIX));
  return (
    ours.length === tags.length && tags.every(({ TagKey = '', TagValue }) => found.get(TagKey) === TagValue)
  );
}

async function tagsAt(kms: KMSClient, KeyId: string): Promise<Map<string, string | undefined>> {
  const { Tags = [] } = await callKms((bound) => kms.send(new ListResourceTagsCommand({ KeyId }), bound));
  return new Map(Tags.map(({ TagKey = '', TagValue }) => [TagKey, TagValue]));
}

async function isEnabled(kms: KMSClient, KeyId: string): Promise<boolean> {
  const { KeyMetadata } = await callKms((bound) => kms.send(new DescribeKeyCommand({ KeyId }), bound));
  return KeyMetadata?.KeyState === 'Enabled';
}
