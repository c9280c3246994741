import { patientKeys } from '../../crypto/patient-keys.ts';
import { ref } from '../../kernel/collection.ts';
import type { PatientAlias } from '../../kernel/ids.ts';
import { parsePatientId, parseTenantId, parseUserId } from '../../kernel/ids.ts';
import { legalHoldRef } from '../../lifecycle/erasure/legal-holds.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { out } from '../terminal.ts';

/** Keeps a record from erasure, or lets it go again. */
export const patientHold: Command = {
  usage: 'PATIENT --by USER [--release] [--tenant T]',
  summary: 'put a legal hold on a record, or --release it: as long as it is there nothing is erased',
  options: { tenant: { type: 'string' }, by: { type: 'string' }, release: { type: 'boolean' } },
  run: async ({ values, positionals: [patient, ...more], json }) => {
    if (patient === undefined || more.length > 0)
      throw new UsageError('Name one patient: chartseal patient hold PATIENT --by USER');
    if (values['by'] === undefined) throw new UsageError('Say who decides it: --by USER');
    const tenant = parseTenantId(values['tenant'] ?? 'riverside');
    const [id, by] = [parsePatientId(patient), parseUserId(values['by'])];
    const release = values['release'] === true;
    const { composed } = await composeHere();
    try {
      const { audit, clock } = composed.services;
      await audit.commit(tenant, async (tx) => {
        const [key] = await tx.get(ref(patientKeys, id));
        if (key === null) throw new UsageError('There is no such patient here. Give a handle (pat_…).');
        if (release) tx.delete(legalHoldRef(id));
        else tx.put(legalHoldRef(id), { by, since: clock() });
        return {
          action: release ? 'D' : 'C',
          operation: release ? 'legal-hold-released' : 'legal-hold-set',
          outcome: '0',
          actor: { user: by, role: 'admin', client: 'chartseal' },
          patient: key.alias as PatientAlias,
          entity: { resource: 'Flag', fields: ['legal-hold'] },
          purposeOfUse: 'HOPERAT',
          policy: 'operator-registry',
        };
      });
      out(
        json
          ? JSON.stringify({ tenant, patient: id, held: !release })
          : release
            ? 'Released.'
            : 'Held: nothing of it is erased.',
      );
      return EXIT.ok;
    } finally {
      await composed.close();
    }
  },
};
