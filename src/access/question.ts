import { InputError } from '../kernel/errors.ts';
import {
  type PatientId,
  parsePatientId,
  parseTenantId,
  parseUserId,
  type TenantId,
  type UserId,
} from '../kernel/ids.ts';
import { ACTIONS, type ChartAction, type ClinicAction } from './actions.ts';
import { CONSENT_STATES, type Consent } from './consents.ts';
import { ROLES, type Role } from './members.ts';
import { PURPOSES, type Purpose } from './purposes.ts';
import { RELATIONSHIPS, type Relationship } from './relationships.ts';
import type { Meaning } from './scopes.ts';

/**
 * What policies are asked. Every field is one of a few words or an opaque id: no text of a chart, of a person or of
 * a model has a place here, by type and, in {@link checkQuestion}, at run time.
 */
export type Question = ChartQuestion | ClinicQuestion;

/** Who asks. `none` is somebody who does not belong to the clinic. */
export interface Asker {
  readonly user: UserId;
  readonly tenant: TenantId;
  readonly role: Role | 'none';
  /** What the scopes of the token mean. */
  readonly granted: readonly Meaning[];
}

/** How a part of a chart is labelled. */
export const SENSITIVITIES = ['normal', 'sensitive'] as const;
export type Sensitivity = (typeof SENSITIVITIES)[number];

/** May this person do that to this chart? */
export interface ChartQuestion {
  readonly kind: 'chart';
  readonly action: ChartAction;
  readonly asker: Asker;
  readonly tenant: TenantId;
  readonly patient: PatientId;
  readonly sensitivity: Sensitivity;
  readonly relationship: Relationship;
  readonly consent: Consent;
  readonly purpose: Purpose;
  readonly emergency: boolean;
}

/** May this person do that at this clinic? */
export interface ClinicQuestion {
  readonly kind: 'clinic';
  readonly action: ClinicAction;
  readonly asker: Asker;
  readonly tenant: TenantId;
  readonly purpose: Purpose;
  /** For a review: who opened the chart, or made the request. */
  readonly actor?: Asker;
  /** For a destructive act: the second person. */
  readonly approver?: Asker;
}

const MEANINGS: readonly string[] = ['demographics', 'clinical', 'schedule'] satisfies Meaning[];

/** @throws InputError `INPUT` when a field is none of its words, or `ID_FORMAT`: then nothing is asked. */
export function checkQuestion(question: Question): void {
  const { asker, tenant, action, purpose } = question;
  parseTenantId(tenant);
  among(purpose, PURPOSES);
  if (!Object.hasOwn(ACTIONS, action) || ACTIONS[action].about !== question.kind) throw notAWord();
  checkAsker(asker);
  if (question.kind === 'clinic') {
    if (question.actor !== undefined) checkAsker(question.actor);
    if (question.approver !== undefined) checkAsker(question.approver);
    return;
  }
  parsePatientId(question.patient);
  among(question.sensitivity, SENSITIVITIES);
  among(question.relationship, RELATIONSHIPS);
  for (const state of Object.values(question.consent)) among(state, CONSENT_STATES);
  if (typeof question.emergency !== 'boolean') throw notAWord();
}

function checkAsker({ user, tenant, role, granted }: Asker): void {
  parseUserId(user);
  parseTenantId(tenant);
  if (role !== 'none') among(role, ROLES);
  for (const meaning of granted) among(meaning, MEANINGS);
}

function among(word: string, words: readonly string[]): void {
  if (!words.includes(word)) throw notAWord();
}

const notAWord = (): InputError =>
  new InputError('INPUT', 'A policy question holds only known words and ids.');
