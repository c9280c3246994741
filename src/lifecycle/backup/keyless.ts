import { manifests } from '../../crypto/manifest.ts';
import { keyVersionRef } from '../../crypto/patient-keys.ts';
import { keyVersionOf } from '../../crypto/sealed-value.ts';
import type { PatientId } from '../../kernel/ids.ts';
import type { TenantStore } from '../../kernel/store.ts';

const PAGE = 200;

/**
 * How many patients have a chart whose key is not there: the keys of a restore may be of a time when that key was
 * destroyed already, or was not made yet. Looks at headers, and opens nothing.
 */
export async function keylessPatients(store: TenantStore): Promise<number> {
  let keyless = 0;
  for (let after: string | undefined; ; ) {
    const page = await store.list(manifests, { limit: PAGE, ...(after !== undefined && { after }) });
    const keys = await store.get(
      ...page.map(({ id, row }) => keyVersionRef(id as PatientId, keyVersionOf(row.sealed))),
    );
    keyless += keys.filter((key) => key === null).length;
    after = page.at(-1)?.id;
    if (page.length < PAGE) return keyless;
  }
}
