import type { ChartAction } from '../access/actions.ts';
import { AccessError } from '../access/errors.ts';
import { findMember } from '../access/members.ts';
import { relationshipsOf } from '../access/relationships.ts';
import { displayName } from '../clinic/chart-view.ts';
import type { PatientId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { type PermitParts, type Person, permit } from './page-permit.ts';

/** A chart that a person may do something about. */
export interface OwnChart {
  readonly patient: PatientId;
  /** Null for the person's own. */
  readonly name: string | null;
}

/** For which page charts are named. */
export interface NamingPage {
  /** As the audit log names it. */
  readonly client: string;
  /** The act that its event names. */
  readonly operation: string;
  /** What the page is for: only a chart about which this is permitted is named. */
  readonly action: ChartAction;
}

/** The person's own chart and those they act for. The names of others are read, and their events committed, here. */
export async function chartsOf(
  parts: PermitParts & { readonly store: Store },
  person: Person,
  page: NamingPage,
): Promise<OwnChart[]> {
  const { store, clock } = parts;
  const [member, related] = await Promise.all([
    findMember(store, person.tenant, person.user),
    relationshipsOf(store, person, clock()),
  ]);
  const own = member?.ownChart ?? null;
  const others = related.filter(({ kind, patient }) => kind === 'proxy' && patient !== own);
  const named: OwnChart[] = [];
  for (const { patient } of others) {
    const name = await nameOf(parts, person, { ...page, patient });
    if (name !== null) named.push({ patient, name });
  }
  return [...(own === null ? [] : [{ patient: own, name: null }]), ...named];
}

/** A patient's name, once its event is committed; null for a chart that the policies do not open to this person. */
export async function nameOf(
  parts: PermitParts,
  person: Person,
  { patient, client, operation, action }: NamingPage & { readonly patient: string },
): Promise<string | null> {
  const given = await permit(parts, person, {
    ...{ patient, client },
    actions: ['read-demographics', action],
  }).catch((error: unknown) => {
    if (error instanceof AccessError) return null;
    throw error;
  });
  if (given === null) return null;
  const read = await parts.patients.read(given.of, ['demographics']);
  if (read?.parts.demographics == null) return null;
  const entity = { resource: 'Patient', fields: ['demographics.name'] };
  await parts.audit.append(given.of.tenant, given.entry(operation, { action: 'R', entity }));
  return displayName(read.parts.demographics);
}
