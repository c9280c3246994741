import type { AuditLog } from '../audit/append.ts';
import { newPatientId, type PatientId, type TenantId } from '../kernel/ids.ts';
import { type ImportedBundle, readPatientBundle } from './fhir-import.ts';
import type { Patients } from './patients.ts';

/** A chart that was sealed from a bundle. */
export interface ImportedPatient extends Pick<ImportedBundle, 'imported' | 'left'> {
  readonly patient: PatientId;
}

/**
 * Reads a FHIR R4 bundle and seals it as a new patient's chart, with its audit event in the same transaction.
 *
 * @param by the operator who imports, as the audit log names them.
 * @throws ClinicError `IMPORT_FORMAT`; then nothing was written.
 */
export async function importPatient(
  bundle: string,
  into: { tenant: TenantId; patients: Patients; audit: AuditLog; by: string },
): Promise<ImportedPatient> {
  const { chart, imported, left } = readPatientBundle(bundle);
  const patient = newPatientId();
  const draft = into.audit.draft(into.tenant);
  const entry = {
    action: 'C',
    operation: 'patient import',
    outcome: '0',
    actor: { user: into.by, role: 'admin', client: 'chartseal' },
    // The chart's first key is made with it.
    entity: { resource: 'Patient', id: patient, fields: ['key.1'] },
    purposeOfUse: 'HOPERAT',
    policy: 'operator-import',
  } as const;
  try {
    await into.patients.register({ tenant: into.tenant, patient }, chart, { draft, entry });
  } catch (error) {
    draft.abandon();
    throw error;
  }
  draft.confirm();
  return { patient, imported, left };
}
