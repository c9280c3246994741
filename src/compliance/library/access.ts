import { hash } from 'node:crypto';
import { ADMITTANCE } from '../checks/access.ts';
import { Places } from '../scan/places.ts';
import type { SessionLifetimes } from '../sessions.ts';
import type { Finding } from './finding.ts';
import { findingOf, findingsOf } from './judge.ts';

/** A question that your policies must answer: the smallest table has refusals above all. */
export interface AccessCase {
  readonly role: string;
  readonly action: string;
  readonly allowed: boolean;
}

/** A role, and whether its people must show a second factor: everybody who may see others' data must. */
export interface AccessRole {
  readonly name: string;
  readonly needsSecondFactor: boolean;
}

/** Somebody who may sign in. */
export interface AccessAccount {
  /** What may be reported: no name, no address. */
  readonly id: string;
  readonly role: string;
  /** Whether a second factor is enrolled. */
  readonly hasSecondFactor: boolean;
}

/** What is known of who gets in. What is left out is answered with `notAssessable`. */
export interface AccessControl {
  readonly roles: readonly AccessRole[];
  readonly accounts?: AsyncIterable<AccessAccount> | Iterable<AccessAccount>;
  readonly cases?: readonly AccessCase[];
  /** Asks the policies that run. A fault of it is thrown on: no answer is no refusal. */
  readonly decide?: (asked: Pick<AccessCase, 'role' | 'action'>) => boolean | Promise<boolean>;
  /** The access matrix as it is now, and as somebody reviewed it: any text that names who may do what. */
  readonly matrix?: { readonly now: string; readonly reviewed: string | null };
  readonly sessions?: SessionLifetimes;
}

/**
 * Looks at access control: `policies-answer` (every case is answered as its table says), `access-matrix` (what runs is
 * what was reviewed), `staff-second-factor`, `session-limits`, `members-known` (every account has a known role).
 */
export async function checkAccessControl(control: AccessControl): Promise<Finding[]> {
  const { roles, sessions, matrix } = control;
  const people = await peopleOf(control);
  const cases = await askedOf(control);
  const facts = {
    access: {
      cases: cases ?? { asked: 0, refusals: 0, wrong: [] },
      matrix: {
        now: sha256(matrix?.now ?? ''),
        reviewed: matrix?.reviewed == null ? null : sha256(matrix.reviewed),
      },
    },
    config: {
      withoutSecondFactor: people?.withoutSecondFactor ?? 0,
      staffRoles: roles.filter(({ needsSecondFactor }) => needsSecondFactor).map(({ name }) => name),
      sessions: sessions ?? NO_SESSIONS,
    },
    rows: { duties: people ?? { members: 0, oddMembers: { count: 0, first: [] } } },
  };
  const given: Readonly<Record<string, boolean>> = {
    'policies-answer': cases !== null,
    'access-matrix': matrix !== undefined,
    'staff-second-factor': people !== null,
    'session-limits': sessions !== undefined,
    'members-known': people !== null,
  };
  return findingsOf(ADMITTANCE, facts).map((finding) =>
    given[finding.check] === true ? finding : notGiven(finding.check),
  );
}

const NO_SESSIONS: SessionLifetimes = { accessToken: 0, grant: 0, idleGrant: 0, session: 0, refreshGrace: 0 };
const sha256 = (text: string): string => hash('sha256', text, 'hex');

const notGiven = (check: string): Finding =>
  findingOf(check, {
    state: 'not-assessable',
    sentence: 'Nothing was given to judge this by. A person must look.',
    evidence: null,
  });

async function peopleOf({ roles, accounts }: AccessControl) {
  if (accounts === undefined) return null;
  const odd = new Places();
  let [members, withoutSecondFactor] = [0, 0];
  for await (const { id, role, hasSecondFactor } of accounts) {
    members += 1;
    const known = roles.find(({ name }) => name === role);
    if (known === undefined) odd.add(id);
    if (known?.needsSecondFactor !== false && !hasSecondFactor) withoutSecondFactor += 1;
  }
  return { members, oddMembers: odd.found, withoutSecondFactor };
}

/** Lines of the table, from 1, that are answered otherwise. */
async function askedOf({ cases, decide }: AccessControl) {
  if (cases === undefined || decide === undefined) return null;
  const wrong: number[] = [];
  for (const [at, { role, action, allowed }] of cases.entries())
    if ((await decide({ role, action })) !== allowed) wrong.push(at + 1);
  return { asked: cases.length, refusals: cases.filter(({ allowed }) => !allowed).length, wrong };
}
