/** What each scope lets an app do, in the words of the consent page. Names follow SMART App Launch v2. */
export const SCOPES = {
  'patient/Patient.rs': 'See your name and contact details',
  'patient/*.rs': 'See your health record: conditions, medications, allergies, immunizations and results',
  'patient/Appointment.crus': 'See, book and change your visits',
  offline_access: 'Stay connected until you disconnect it',
} as const;

/** A scope that an access token may carry. */
export type Scope = keyof typeof SCOPES;

/** Every scope, in the order in which the consent page shows them. */
export const ALL_SCOPES = Object.keys(SCOPES) as readonly Scope[];

/** The scopes that open something; `offline_access` only keeps a session alive. */
export const RESOURCE_SCOPES = ALL_SCOPES.filter((scope) => scope !== 'offline_access');

/** The scopes of `needed` that `granted` lacks, all at once. */
export function missingScopes(granted: readonly string[], needed: readonly Scope[]): Scope[] {
  return needed.filter((scope) => !granted.includes(scope));
}
