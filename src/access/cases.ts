import { InputError } from '../kernel/errors.ts';
import type { PatientId, TenantId, UserId } from '../kernel/ids.ts';
import { ACTIONS, type Action, type ChartAction, type ClinicAction, isChartAction } from './actions.ts';
import { CONSENT_STATES, CONSENT_TOPICS, type Consent, NO_CONSENT } from './consents.ts';
import { ROLES, type Role } from './members.ts';
import type { PolicyEngine, Verdict } from './policy-engine.ts';
import { PURPOSES } from './purposes.ts';
import type { Asker, Question } from './question.ts';
import { RELATIONSHIPS } from './relationships.ts';
import { meaningsOf, SCOPES, scopesFor } from './scopes.ts';

/** One row of a case table: a question, and what the policies must answer. */
export interface PolicyCase {
  /** Line of the table, from 1. */
  readonly line: number;
  /** The row's cells as they were written. */
  readonly text: string;
  readonly question: Question;
  readonly expected: Verdict;
}

/** A case, what was answered, and whether that is what the row says. */
export interface CaseResult extends PolicyCase {
  readonly answered: Verdict;
  readonly ok: boolean;
}

const COLUMNS = [
  'role',
  'action',
  'clinic',
  'relationship',
  'consent',
  'purpose',
  'scopes',
  'emergency',
  'with',
  'answer',
  'policies',
] as const;
type Cells = Readonly<Record<(typeof COLUMNS)[number], string>>;

const OWN = 'own' as TenantId;
const OTHER = 'other' as TenantId;
const ASKER = 'asker' as UserId;

/**
 * Reads the case tables of a Markdown page: every row below a header of exactly these columns.
 *
 * @throws InputError `INPUT` naming the line that cannot be read, or when there is no row at all.
 */
export function readCases(page: string): PolicyCase[] {
  const rows = page.split('\n').map((text, index) => ({ line: index + 1, text: text.trim() }));
  const cases = rows.flatMap(({ line, text }) => {
    if (!text.startsWith('|') || /^\|[-|]+\|$/.test(text)) return [];
    const cells = text
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', ''));
    if (cells.join() === COLUMNS.join()) return [];
    if (cells.length !== COLUMNS.length) throw unreadable(line);
    const named = Object.fromEntries(COLUMNS.map((column, index) => [column, cells[index]])) as Cells;
    return [{ line, text: cells.join(' | '), ...caseOf(named, line) }];
  });
  if (cases.length === 0) throw new InputError('INPUT', 'The page holds no case table.');
  return cases;
}

/** Asks the policies every case. */
export function runCases(cases: readonly PolicyCase[], engine: PolicyEngine): CaseResult[] {
  return cases.map((one) => {
    const answered = engine.ask(one.question);
    const same = answered.policies.join(' ') === [...one.expected.policies].sort().join(' ');
    return { ...one, answered, ok: same && answered.permit === one.expected.permit };
  });
}

function caseOf(cells: Cells, line: number): Pick<PolicyCase, 'question' | 'expected'> {
  const word = <T extends string>(cell: string, words: readonly T[]): T => {
    const found = words.find((one) => one === cell);
    if (found === undefined) throw unreadable(line);
    return found;
  };
  const role = word(cells.role, [...ROLES, 'none']);
  const action = word(cells.action, Object.keys(ACTIONS) as Action[]);
  const asker: Asker = { user: ASKER, tenant: OWN, role, granted: grantedOf(cells.scopes, role, line) };
  const about = {
    asker,
    tenant: word(cells.clinic, ['own', 'other']) === 'own' ? OWN : OTHER,
    purpose: word(cells.purpose, PURPOSES),
  };
  const question: Question = isChartAction(action)
    ? {
        ...about,
        kind: 'chart',
        action: action as ChartAction,
        patient: 'patient' as PatientId,
        sensitivity: action === 'read-sensitive' ? 'sensitive' : 'normal',
        relationship: word(cells.relationship, RELATIONSHIPS),
        consent: consentOf(cells.consent, line),
        emergency: word(cells.emergency, ['yes', 'no']) === 'yes',
      }
    : { ...about, kind: 'clinic', action: action as ClinicAction, ...secondOf(cells.with, asker, action) };
  const policies = cells.policies === '-' ? [] : cells.policies.split(' ');
  return {
    question,
    expected: { permit: word(cells.answer, ['permit', 'refuse']) === 'permit', policies },
  };
}

function grantedOf(cell: string, role: Role | 'none', line: number): Asker['granted'] {
  if (role === 'none' || cell === '-') return [];
  const scopes = cell === 'all' ? scopesFor(role) : cell.split(' ');
  if (scopes.some((scope) => !Object.hasOwn(SCOPES, scope))) throw unreadable(line);
  return meaningsOf(scopes, role);
}

/** `treatment refused, sensitive granted`; what is not named was never asked. */
function consentOf(cell: string, line: number): Consent {
  if (cell === '-') return NO_CONSENT;
  const said = cell.split(', ').map((part) => {
    const [topic, state] = part.split(' ');
    const known = CONSENT_TOPICS.find((one) => one === topic);
    const knownState = CONSENT_STATES.find((one) => one === state);
    if (known === undefined || knownState === undefined) throw unreadable(line);
    return [known, knownState];
  });
  return { ...NO_CONSENT, ...Object.fromEntries(said) };
}

/** Who opened the chart of a reviewed emergency, or who approves a destructive act. */
function secondOf(cell: string, asker: Asker, action: Action): { actor?: Asker; approver?: Asker } {
  if (cell === '-') return {};
  const role = cell === 'another admin' ? 'admin' : 'clinician';
  const second: Asker = cell === 'self' ? asker : { ...asker, user: 'second' as UserId, role, granted: [] };
  return action === 'review-emergency' || action === 'review-privacy'
    ? { actor: second }
    : { approver: second };
}

const unreadable = (line: number): InputError =>
  new InputError('INPUT', `Line ${line} of the case table cannot be read. Use the words of the other rows.`);
