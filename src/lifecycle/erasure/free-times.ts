import { isAppointment, parseAppointment } from '../../clinic/appointment.ts';
import { endHold, holderOf, holderTag, holds } from '../../clinic/holds.ts';
import { claimsOf, type Place } from '../../clinic/places.ts';
import { isWaiting, parseWaiting, waitlist } from '../../clinic/waitlist.ts';
import { CryptoError } from '../../crypto/errors.ts';
import type { ValueName } from '../../crypto/open-chart.ts';
import type { PatientRef } from '../../crypto/patient-keys.ts';
import type { SealedCharts } from '../../crypto/sealed-charts.ts';
import type { TenantSecrets } from '../../crypto/tenant-secrets.ts';
import { ref } from '../../kernel/collection.ts';
import type { Store, TenantStore, TimeClaim } from '../../kernel/store.ts';

const PAGE = 200;

/**
 * Gives back every time that a patient takes: future visits, holds, places on the waiting list. Only the sealed chart
 * says which claims are theirs, so this comes before its keys are destroyed. Safe to repeat.
 */
export async function freeTimes(
  parts: { store: Store; charts: SealedCharts; secrets: TenantSecrets },
  of: PatientRef,
  now: number,
): Promise<void> {
  const store = parts.store.tenant(of.tenant);
  await freeHolds(store, await holderTag(parts.secrets, of));
  const { claims, entries } = await timesIn(parts.charts, of, now);
  for (const visit of claims)
    await store.transact(async (tx) => {
      for (const claim of visit) tx.release(claim);
    });
  for (const entry of entries) await store.transact(async (tx) => tx.delete(ref(waitlist, entry)));
}

/** A chart that does not open any more has to be erased all the same; what it took is free when its time has passed. */
async function timesIn(
  charts: SealedCharts,
  of: PatientRef,
  now: number,
): Promise<{ claims: TimeClaim[][]; entries: string[] }> {
  try {
    const read = await charts.readErasing(of);
    const names = (read?.chart.names() ?? []).filter(({ collection }) => collection === 'appointments');
    const claims: TimeClaim[][] = [];
    const entries: string[] = [];
    for (let from = 0; from < names.length; from += PAGE) {
      const part = names.slice(from, from + PAGE);
      for (const [index, value] of (await read?.chart.read(part))?.entries() ?? []) {
        const { document } = part[index] as ValueName;
        if (isWaiting(document)) entries.push(parseWaiting(value).entry);
        if (!isAppointment(document)) continue;
        const { place, booking, status } = parseAppointment(value);
        if (status !== 'cancelled' && place.to > now) claims.push(claimsOf(place, booking));
      }
    }
    return { claims, entries };
  } catch (error) {
    if (!(error instanceof CryptoError) || error.retryable) throw error;
    return { claims: [], entries: [] };
  }
}

async function freeHolds(store: TenantStore, tag: Buffer): Promise<void> {
  for (let after: string | undefined; ; ) {
    const page = await store.list(holds, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { id, row } of page)
      if (holderOf(tag, id).equals(row.holder))
        await store.transact(async (tx) => {
          const [still] = await tx.get(ref(holds, id));
          if (still !== null) endHold(tx, { booking: id, place: still.place as unknown as Place });
        });
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}
