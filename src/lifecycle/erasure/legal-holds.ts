import { collection, type Ref, ref } from '../../kernel/collection.ts';
import type { PatientId } from '../../kernel/ids.ts';

/** Whose record is needed for a claim or an investigation, id = patient. As long as the row is there nothing is erased. */
export const legalHolds = collection('legalHolds', { by: 'text', since: 'instant' });

export const legalHoldRef = (patient: PatientId): Ref<typeof legalHolds.columns> => ref(legalHolds, patient);
