import type { TenantId, UserId } from '../kernel/ids.ts';

/** Who a person is in their clinic, as the consent page says it. */
export interface ClinicPerson {
  readonly role: string;
  /** The clinic's name. */
  readonly clinic: string;
}

/** What the authorization server asks of the clinic's registry. */
export interface PersonDirectory {
  /** Null when the person does not belong to the clinic: then nothing can be connected. */
  find(tenant: TenantId, user: UserId): Promise<ClinicPerson | null>;
}

/** For whom a connected app acts, in words. */
export function actsFor({ role, clinic }: ClinicPerson): string {
  const words = WORDS[role];
  return words === undefined ? `you at ${clinic}` : `${words} ${clinic}`;
}

const WORDS: Readonly<Record<string, string>> = {
  patient: 'you, with your own health record at',
  proxy: 'the people you act for at',
  clinician: 'you as a clinician of',
  frontdesk: 'you at the front desk of',
  auditor: 'you as an auditor of',
  admin: 'you as an administrator of',
};
