import { collection, type Ref, type Row, ref } from '../../kernel/collection.ts';

/**
 * What an erasure did and when, id = its request. The alias is the one of the audit log, whose way back to a person is
 * gone; it is how an auditor finds the events.
 */
export const erasures = collection('erasures', {
  alias: 'text',
  startedAt: 'instant',
  /** The tombstone is outside the store too, where a restore sees it. */
  outside: 'boolean',
  /** The keys were destroyed: nothing opens any more. */
  logicalAt: 'instant?',
  /** The last row was deleted. */
  purgedAt: 'instant?',
  /** The last backup and the last cache are gone. */
  finalAt: 'instant?',
});

export type ErasureRow = Row<typeof erasures.columns>;

export const erasureRef = (request: string): Ref<typeof erasures.columns> => ref(erasures, request);
