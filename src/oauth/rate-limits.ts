import { createHmac } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { collection, ref } from '../kernel/collection.ts';
import { SYSTEM_TENANT } from '../kernel/ids.ts';
import { type Store, StoreError } from '../kernel/store.ts';

/**
 * One row for each subject and span of time, so that all instances count together and no row is everybody's. The
 * subject, a network address, is personal: the row's id is a keyed hash that changes with each span.
 */
export const oauthLimits = collection('oauthLimits', { count: 'integer', expiresAt: 'instant' });

/** So many within one span. */
interface Limit {
  readonly name: string;
  readonly max: number;
  /** Milliseconds; spans are aligned to the clock. */
  readonly span: number;
}

const MINUTE = 60_000;

/** What is counted. Sign-ins and exchanges count when they were refused: whoever does right is never slowed. */
export const LIMITS = {
  /** Registrations from one address. */
  registration: { name: 'registration', max: 20, span: 60 * MINUTE },
  /** Registrations from anywhere, in each of {@link SHARDS} rows. */
  registrations: { name: 'registrations', max: 64, span: 60 * MINUTE },
  /** Refused sign-ins from one address. */
  signIn: { name: 'signIn', max: 20, span: 15 * MINUTE },
  /** Refused sign-ins of one interaction. */
  attempt: { name: 'attempt', max: 5, span: 15 * MINUTE },
  /** Refused exchanges at the token address, from one address. A client's servers share one, so it is wide. */
  token: { name: 'token', max: 300, span: 5 * MINUTE },
} as const satisfies Record<string, Limit>;

/** Rows over which what everybody shares is spread. */
export const SHARDS = 16;

/** Counts in the store. */
export interface RateLimits {
  /** Counts one more. @returns how many there are now, or more than `max` when it was not counted. */
  take(limit: Limit, subject: string): Promise<number>;
  /** Whether `max` has been reached; counts nothing. */
  isSpent(limit: Limit, subject: string): Promise<boolean>;
}

/** Counters over the store; `key` keeps subjects unreadable. */
export function createRateLimits(options: { store: Store; key: string; now?: Clock }): RateLimits {
  const rows = options.store.tenant(SYSTEM_TENANT);
  const now = options.now ?? systemClock;
  const at = ({ name, span }: Limit, subject: string) => {
    const since = Math.floor(now() / span);
    const id = createHmac('sha256', options.key)
      .update(`chartseal/rate-limit/1\0${name}\0${since}\0${subject}`)
      .digest('base64url');
    return { row: ref(oauthLimits, `${name}_${id}`), expiresAt: (since + 1) * span };
  };
  const countOf = async (limit: Limit, subject: string): Promise<number> => {
    const [row] = await rows.get(at(limit, subject).row);
    return row?.count ?? 0;
  };
  return {
    isSpent: async (limit, subject) => (await countOf(limit, subject)) >= limit.max,
    take: async (limit, subject) => {
      // Whoever floods costs reads, not writes on a row that others wait for.
      if ((await countOf(limit, subject)) >= limit.max) return limit.max + 1;
      const { row, expiresAt } = at(limit, subject);
      try {
        return await rows.transact(async (tx) => {
          const [kept] = await tx.get(row);
          const count = (kept?.count ?? 0) + 1;
          tx.put(row, { count, expiresAt });
          return count;
        });
      } catch (error) {
        // So much at once from one place that the row cannot be written is too much.
        if (error instanceof StoreError && error.code === 'CONTENTION') return limit.max + 1;
        throw error;
      }
    },
  };
}

/** An address as a subject: a household's or server's IPv6 network is one, however many addresses it has. */
export function subjectOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const left = head.split(':').filter((part) => part !== '');
  const right = (tail ?? '').split(':').filter((part) => part !== '');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
