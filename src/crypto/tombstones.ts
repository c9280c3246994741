import { collection, type Ref, ref } from '../kernel/collection.ts';
import type { PatientId } from '../kernel/ids.ts';

/**
 * Who was erased, id = patient. No key is ever made for such a handle again, and whoever restores a backup erases again
 * whom these name. It says nothing but that somebody was here.
 */
export const tombstones = collection('tombstones', { request: 'text', erasedAt: 'instant' });

export const tombstoneRef = (patient: PatientId): Ref<typeof tombstones.columns> => ref(tombstones, patient);
