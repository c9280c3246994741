/** The synthetic people of the local stack. They sign in at the Firebase Auth emulator, all with one password. */
export interface DemoPerson {
  readonly email: string;
  readonly uid: string;
  readonly tenant: string;
  readonly role: string;
  /** The bundle below `emulator-data/` that is this person's own chart. */
  readonly chart?: string;
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
    note: 'acts for a child',
  },
  {
    email: 'clinician@example.com',
    uid: 'usr_clinician',
    tenant: 'riverside',
    role: 'clinician',
    note: 'clinician',
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
];
