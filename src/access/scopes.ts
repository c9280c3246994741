import type { Role } from './members.ts';

/** What a scope lets an app do: the word that policies know. */
export type Meaning = 'demographics' | 'clinical' | 'schedule';

interface ScopeRow {
  /** In the words of the consent page. */
  readonly words: string;
  /** Whom it is for; a token of anybody else may carry it, and it means nothing there. */
  readonly roles: readonly Role[];
  /** Null opens nothing. */
  readonly means: Meaning | null;
}

const PEOPLE = ['patient', 'proxy'] as const;
const EVERYONE = ['patient', 'proxy', 'clinician', 'frontdesk', 'auditor', 'admin'] as const;

/**
 * The one table of scopes. Names follow SMART App Launch v2: `patient/` is a person's own chart and those they act
 * for, `user/` is what a member of staff may reach. `offline_access` only keeps the connection alive.
 */
const TABLE = {
  'patient/Patient.rs': { words: 'See your name and contact details', roles: PEOPLE, means: 'demographics' },
  'patient/*.rs': {
    words: 'See your health record: conditions, medications, allergies, immunizations and results',
    roles: PEOPLE,
    means: 'clinical',
  },
  'patient/Appointment.crus': { words: 'See, book and change your visits', roles: PEOPLE, means: 'schedule' },
  'user/Patient.rs': {
    words: 'Find patients of your clinic and see their names and contact details',
    roles: ['clinician', 'frontdesk'],
    means: 'demographics',
  },
  'user/*.rs': {
    words: 'See the health records of patients whom you treat',
    roles: ['clinician'],
    means: 'clinical',
  },
  'user/Appointment.crus': {
    words: 'See, book and change visits of patients of your clinic',
    roles: ['clinician', 'frontdesk'],
    means: 'schedule',
  },
  offline_access: { words: 'Stay connected until you disconnect it', roles: EVERYONE, means: null },
} as const satisfies Record<string, ScopeRow>;

/** A scope that an access token may carry. */
export type Scope = keyof typeof TABLE;

const ROWS = Object.entries(TABLE) as readonly [Scope, ScopeRow][];

/** Scope → what it lets an app do, in the words of the consent page. */
export const SCOPES: Readonly<Record<Scope, string>> = Object.fromEntries(
  ROWS.map(([scope, { words }]) => [scope, words]),
) as Record<Scope, string>;

/** The scopes that open something: what the protected-resource metadata lists. */
export const RESOURCE_SCOPES: readonly Scope[] = ROWS.flatMap(([scope, { means }]) =>
  means === null ? [] : [scope],
);

/** Every scope that a person of this role may grant to an app. */
export function scopesFor(role: Role): Scope[] {
  return ROWS.flatMap(([scope, { roles }]) => (roles.includes(role) ? [scope] : []));
}

/** Whether a person of this role may grant the scope; false for a name that is not in the table, such as `openid`. */
export function suitsRole(scope: string, role: Role): boolean {
  return scopesFor(role).some((name) => name === scope);
}

/** What these scopes mean in the hands of this role. */
export function meaningsOf(scopes: readonly string[], role: Role): Meaning[] {
  const meanings = ROWS.flatMap(([scope, { roles, means }]) =>
    means !== null && roles.includes(role) && scopes.includes(scope) ? [means] : [],
  );
  return [...new Set(meanings)];
}

/** The scope by which this role grants `meaning`; null when the role has none. */
export function scopeOf(meaning: Meaning, role: Role): Scope | null {
  const row = ROWS.find(([, { roles, means }]) => means === meaning && roles.includes(role));
  return row?.[0] ?? null;
}
