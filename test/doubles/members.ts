import { members } from '../../src/access/members.ts';
import { ref } from '../../src/kernel/collection.ts';
import type { PatientId, TenantId, UserId } from '../../src/kernel/ids.ts';
import type { Store } from '../../src/kernel/store.ts';

/** Makes somebody a member without an event, so that a test counts only its own. */
export async function putMember(
  store: Store,
  tenant: TenantId,
  member: { user: UserId; role: string; patient: PatientId | null },
): Promise<void> {
  const { user, role, patient } = member;
  await store.tenant(tenant).transact(async (tx) => tx.put(ref(members, user), { role, patient }));
}
