import type { Role } from '../access/members.ts';

/** The synthetic people of the local stack. They sign in at the Firebase Auth emulator, all with one password. */
export interface DemoPerson {
  readonly email: string;
  readonly uid: string;
  readonly tenant: string;
  readonly role: Role;
  /** The bundle below `emulator-data/` that is this person's own chart. */
  readonly chart?: string;
  /** Bundles below `emulator-data/` of the charts that this person acts for. */
  readonly actsFor?: readonly string[];
  /** Bundles of the charts that this person treats. */
  readonly treats?: readonly string[];
  readonly note: string;
}

/** Everyone's password on the local stack. It opens nothing elsewhere. */
export const DEMO_PASSWORD = 'synthetic-people-only';

export const DEMO_PEOPLE: readonly DemoPerson[] = [
  {
    email: 'john@example.com',
    uid: 'usr_john',
    tenant: 'riverside',
    role: 'patient',
    chart: 'john-doe',
    note: 'patient John Doe',
  },
  {
    email: 'parent@example.com',
    uid: 'usr_parent',
    tenant: 'riverside',
    role: 'proxy',
    actsFor: ['leo-park'],
    note: 'acts for a child, Leo Park',
  },
  {
    email: 'clinician@example.com',
    uid: 'usr_clinician',
    tenant: 'riverside',
    role: 'clinician',
    treats: ['john-doe', 'leo-park'],
    note: 'clinician who treats John Doe and Leo Park, not Ana Ruiz',
  },
  {
    email: 'frontdesk@example.com',
    uid: 'usr_frontdesk',
    tenant: 'riverside',
    role: 'frontdesk',
    note: 'front desk',
  },
  { email: 'auditor@example.com', uid: 'usr_auditor', tenant: 'riverside', role: 'auditor', note: 'auditor' },
  { email: 'admin@example.com', uid: 'usr_admin', tenant: 'riverside', role: 'admin', note: 'administrator' },
  {
    email: 'second-admin@example.com',
    uid: 'usr_second_admin',
    tenant: 'riverside',
    role: 'admin',
    note: 'a second administrator: an erasure takes two',
  },
  {
    email: 'ana.ruiz@example.com',
    uid: 'usr_ana',
    tenant: 'riverside',
    role: 'patient',
    chart: 'ana-ruiz',
    note: 'patient Ana Ruiz',
  },
  {
    email: 'mary@example.com',
    uid: 'usr_mary',
    tenant: 'lakeside',
    role: 'patient',
    chart: 'mary-lake',
    note: 'patient at the other clinic',
  },
  {
    email: 'clinician@lakeside.example.com',
    uid: 'usr_lakeside_clinician',
    tenant: 'lakeside',
    role: 'clinician',
    treats: ['mary-lake'],
    note: 'clinician at the other clinic',
  },
  {
    email: 'frontdesk@lakeside.example.com',
    uid: 'usr_lakeside_frontdesk',
    tenant: 'lakeside',
    role: 'frontdesk',
    note: 'front desk at the other clinic',
  },
];
