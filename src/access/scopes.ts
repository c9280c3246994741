/**
 * What an access token may carry, and in the words of the consent page what it lets an app do. Names follow SMART
 * App Launch v2. `offline_access` opens nothing: it only keeps the connection alive.
 */
export const SCOPES = {
  'patient/Patient.rs': 'See your name and contact details',
  'patient/*.rs': 'See your health record: conditions, medications, allergies, immunizations and results',
  'patient/Appointment.crus': 'See, book and change your visits',
  offline_access: 'Stay connected until you disconnect it',
} as const;

/** A scope that an access token may carry. */
export type Scope = keyof typeof SCOPES;

/** The scopes that open something: what the protected-resource metadata lists. */
export const RESOURCE_SCOPES = (Object.keys(SCOPES) as Scope[]).filter((scope) => scope !== 'offline_access');

/** The scopes of `needed` that `granted` lacks, all at once. */
export function missingScopes(granted: readonly string[], needed: readonly Scope[]): Scope[] {
  return needed.filter((scope) => !granted.includes(scope));
}
