import { dirname, join } from 'node:path';
import { Outside } from '../../src/audit/outside.ts';
import type { PatientRef } from '../../src/crypto/patient-keys.ts';
import { ref } from '../../src/kernel/collection.ts';
import { newPatientId, type PatientId, type UserId } from '../../src/kernel/ids.ts';
import { type ErasureParts, erasePatient } from '../../src/lifecycle/erasure/erase.ts';
import { PURGED } from '../../src/lifecycle/erasure/purge.ts';
import { orderErasure } from '../../src/lifecycle/requests/order-erasure.ts';
import { privacyRequests } from '../../src/lifecycle/requests/request.ts';
import { Requests } from '../../src/lifecycle/requests/requests.ts';
import { openCheckpointFolder } from '../../src/storage/checkpoints/folder.ts';
import { openObjectFolder } from '../../src/storage/objects/folder.ts';
import { allRows, book, type KeyHouse } from '../lifecycle/key-house.ts';
import type { Scene } from './scene.ts';

/** How long a handle is; ids of a patient's other rows begin with it. */
const HANDLE = newPatientId().length;

/** Erasures as a kind of traffic: whose patient is nobody's a moment later, whatever rotates meanwhile. */

function partsOf(house: KeyHouse, { journal }: Scene): ErasureParts {
  const { store, charts, keys, secrets, audit } = house;
  return {
    ...{ store, charts, keys, secrets, audit, clock: Date.now },
    objects: openObjectFolder(join(dirname(journal), 'documents')),
    requests: new Requests({ store, charts, secrets }),
    rules: { recordMs: 0, backupMs: 0 },
    outside: new Outside(openCheckpointFolder(join(dirname(journal), 'outside'))),
    forgetAccount: async () => {},
  };
}

/** A patient comes, books, is ordered to be erased, and goes. */
export async function comeAndGo(house: KeyHouse, scene: Scene, start: number): Promise<void> {
  const of = await house.newPatient({ still: 'still' });
  const request = await order(house, scene, of);
  await book(house, of, { start });
  await erasePatient(partsOf(house, scene), { of, request });
}

/** Two administrators order it, and its cooling-off is made to be over; no export goes before it here. */
async function order(house: KeyHouse, scene: Scene, of: PatientRef): Promise<string> {
  const [by, approver] = ['usr_a' as UserId, 'usr_b' as UserId];
  const { id } = await orderErasure(partsOf(house, scene), { of, by, approver, now: Date.now() });
  await house.rows.transact(async (tx) => {
    const [row] = await tx.get(ref(privacyRequests, id));
    if (row?.state === 'cooling')
      tx.put(ref(privacyRequests, id), { ...row, until: Date.now() - 1, linked: null });
  });
  return id;
}

/** Finishes the erasures that were cut short, as the scheduled round does, and looks for what is left of anybody. How many went. */
export async function judgeErasures(
  house: KeyHouse,
  scene: Scene,
  find: (what: string, where: string) => void,
): Promise<number> {
  const asked = (await allRows(house.store, house.tenant, privacyRequests)).filter(
    ({ row }) => row.kind === 'erasure',
  );
  const gone = new Set<string>();
  for (const { row } of asked) {
    const of = { tenant: house.tenant, patient: row.patient as PatientId };
    const request = await order(house, scene, of);
    await erasePatient(partsOf(house, scene), { of, request });
    gone.add(of.patient);
  }
  for (const of of PURGED)
    if (of !== privacyRequests)
      for (const { id, row } of await allRows(house.store, house.tenant, of))
        if (gone.has(String(row['patient'] ?? id.slice(0, HANDLE))))
          find('something is left of an erased patient', `${of.name} ${id}`);
  return gone.size;
}
