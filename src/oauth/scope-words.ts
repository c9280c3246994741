/** What a person reads on the consent page for each scope. */

const RESOURCES: Readonly<Record<string, string>> = {
  Patient: 'name, birth date and contact details',
  Practitioner: 'clinicians',
  Appointment: 'appointments',
  Schedule: 'clinic schedules',
  Slot: 'open times',
  MedicationRequest: 'medications',
  MedicationStatement: 'medications',
  Condition: 'health conditions',
  AllergyIntolerance: 'allergies',
  Observation: 'test results',
  Consent: 'privacy choices',
  AuditEvent: 'record of who opened a chart',
  Task: 'requests',
  '*': 'health record',
};

const FIXED: Readonly<Record<string, string>> = {
  openid: 'Know which account you signed in with',
  offline_access: 'Stay connected until you disconnect, for 30 days at most',
};

const SMART = /^(patient|user|system)\/([A-Za-z]+|\*)\.([cruds]{1,5})$/;

/** One scope in plain words (SMART App Launch 2.2 scopes, and OpenID's own). Unknown ones are shown as they are. */
export function scopeInWords(scope: string): string {
  const fixed = FIXED[scope];
  if (fixed !== undefined) return fixed;
  const [, context, resource = '', letters = ''] = SMART.exec(scope) ?? [];
  if (context === undefined) return scope;
  const things = RESOURCES[resource] ?? `${resource} records`;
  const whose = context === 'patient' ? `your ${things}` : `${things} of the people you look after`;
  return `${capital(list(verbs(letters)))} ${whose}`;
}

function verbs(letters: string): string[] {
  const found: string[] = [];
  if (/[rs]/.test(letters)) found.push('see');
  if (letters.includes('c')) found.push('add');
  if (letters.includes('u')) found.push('change');
  if (letters.includes('d')) found.push('delete');
  return found;
}

const list = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
