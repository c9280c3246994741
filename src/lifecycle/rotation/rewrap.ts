import type { Keyring, WrappedKey } from '../../crypto/keyring.ts';
import {
  isWrappedOtherwise,
  WRAPPED_KINDS,
  type WrappedKind,
  type WrappingTarget,
} from '../../crypto/wrapped-kinds.ts';
import { type WRAPPED_COLUMNS, wrappedKeyOf } from '../../crypto/wrapped-row.ts';
import { ref } from '../../kernel/collection.ts';
import type { Listed, Transaction } from '../../kernel/store.ts';
import { cardKeys, keyContext } from '../../payments/card-vault.ts';
import { workOn } from '../jobs/items.ts';
import type { JobSpec } from '../jobs/job.ts';
import { type JobKind, NOTHING, type Phase, phase, type StepContext, type StepResult } from '../jobs/kind.ts';

/** ReEncrypt calls under way at once, over all workers of the job. */
const AT_ONCE = 24;
/** A tenant has a handful of each of the others. */
const SPREAD: Readonly<Record<string, string>> = { patientKeyVersions: 'pat_', cardKeys: 'card_' };
/** Keys of one step: they are committed together with its cursor. */
const LIMIT = 400;

/** What `crypto` wraps, and the cards' keys, which are made above it. */
const KINDS: readonly WrappedKind[] = [
  ...WRAPPED_KINDS,
  {
    of: cardKeys as unknown as WrappedKind['of'],
    contexts: async (_, tenant, ids) => ids.map((id) => keyContext(tenant, id)),
  },
];

type Item = Listed<typeof WRAPPED_COLUMNS>;

interface Rewrapped {
  readonly id: string;
  readonly before: WrappedKey;
  readonly after: WrappedKey;
}

/**
 * Wraps every key of a tenant anew, under the wrapping key and generation that the spec names: after a rotation of the
 * KMS key, or to move the tenant to another one. KMS re-encrypts them, so that no data key leaves it; no chart is
 * read or written, and what is open stays open. The proof looks at the stored key and generation of every row.
 */
export function rewrapKind({ rewrapper }: { rewrapper: Keyring }): JobKind {
  return {
    name: 'rewrap',
    operation: 'rewrapKeys',
    phases: [
      ...KINDS.map((kind) => phase(rewrapping(kind, rewrapper))),
      ...KINDS.map((kind) => phase(scanning(kind))),
    ],
  };
}

export const rewrapSpec = ({ keyId, material }: WrappingTarget): JobSpec => ({ keyId, material });

const targetOf = ({ keyId, material }: JobSpec): WrappingTarget => ({
  keyId: String(keyId),
  material: typeof material === 'string' ? material : null,
});

const spreadOf = ({ of }: WrappedKind): string | null => SPREAD[of.name] ?? null;

function rewrapping(kind: WrappedKind, rewrapper: Keyring): Phase<typeof WRAPPED_COLUMNS> {
  return {
    ...{ name: `rewrap ${kind.of.name}`, of: kind.of, spread: spreadOf(kind), limit: LIMIT, proves: false },
    run: async (items, context) => {
      const target = targetOf(context.spec);
      const due = items.filter(({ row }) => isWrappedOtherwise(row, target));
      if (due.length === 0) return NOTHING;
      const { owned, orphans } = await withContexts(kind, due, context);
      const { done, faults } = await workOn(owned, {
        idOf: ({ item }) => item.id,
        pace: context.pace,
        atOnce: Math.max(2, Math.ceil(AT_ONCE / context.workers)),
        work: async ({ item, bound }): Promise<Rewrapped> => {
          const before = wrappedKeyOf(item.row);
          return { id: item.id, before, after: await rewrapper.rewrap(before, bound, target.keyId) };
        },
      });
      return { ...NOTHING, faults: [...faults, ...orphans], stage: (tx) => stage(tx, kind, done) };
    },
  };
}

/** A key whose owner is gone though it is still there cannot be bound to anybody: it is set aside. */
async function withContexts(kind: WrappedKind, due: readonly Item[], { store, tenant }: StepContext) {
  const reader = store.tenant(tenant);
  const ids = due.map(({ id }) => id);
  const contexts = await kind.contexts(reader, tenant, ids);
  const bound = due.map((item, at) => ({ item, bound: contexts[at] ?? null }));
  const ownerless = bound.filter((one) => one.bound === null).map(({ item }) => item.id);
  const still = await reader.get(...ownerless.map((id) => ref(kind.of, id)));
  return {
    owned: bound.flatMap(({ item, bound: context }) => (context === null ? [] : [{ item, bound: context }])),
    orphans: ownerless.filter((_, at) => still[at] !== null).map((item) => ({ item, code: 'KEY_MISSING' })),
  };
}

/** Only what is still wrapped as it was read is replaced: never created, never undone. */
async function stage(tx: Transaction, { of }: WrappedKind, done: readonly Rewrapped[]) {
  const refs = done.map(({ id }) => ref(of, id));
  const rows = await tx.get(...refs);
  const writes = done.flatMap(({ before, after }, at) => {
    const row = rows[at] ?? null;
    const to = refs[at];
    if (row === null || to === undefined || !isSame(row.wrapped, before.blob)) return [];
    const { keyId, blob: wrapped, material = null } = after;
    return [{ to, row: { ...row, keyId, wrapped, material } }];
  });
  return {
    changed: writes.length,
    write: () => {
      for (const { to, row } of writes) tx.put(to, row);
    },
  };
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function scanning(kind: WrappedKind): Phase<typeof WRAPPED_COLUMNS> {
  return {
    ...{ name: `scan ${kind.of.name}`, of: kind.of, spread: spreadOf(kind), limit: 500, proves: true },
    run: async (items, { spec }): Promise<StepResult> => {
      const target = targetOf(spec);
      return { ...NOTHING, left: items.filter(({ row }) => isWrappedOtherwise(row, target)).length };
    },
  };
}
