import type { Meaning } from './scopes.ts';

/**
 * What can be asked for: whether it is about one chart or about the clinic, its name in the Cedar policies, and
 * what a token's scopes must mean before it may be asked for through an app (null: no scope is needed).
 */
export const ACTIONS = {
  'read-demographics': { about: 'chart', cedar: 'ReadDemographics', needs: 'demographics' },
  'read-clinical': { about: 'chart', cedar: 'ReadClinical', needs: 'clinical' },
  'read-sensitive': { about: 'chart', cedar: 'ReadSensitive', needs: 'clinical' },
  'see-schedule': { about: 'chart', cedar: 'SeeSchedule', needs: 'schedule' },
  book: { about: 'chart', cedar: 'Book', needs: 'schedule' },
  'set-visit-status': { about: 'chart', cedar: 'SetVisitStatus', needs: 'schedule' },
  'summarise-chart': { about: 'chart', cedar: 'SummariseChart', needs: 'clinical' },
  'see-access': { about: 'chart', cedar: 'SeeAccess', needs: 'demographics' },
  'request-privacy': { about: 'chart', cedar: 'RequestPrivacy', needs: 'demographics' },
  'keep-cards': { about: 'chart', cedar: 'KeepCards', needs: 'demographics' },
  'read-documents': { about: 'chart', cedar: 'ReadDocuments', needs: 'clinical' },
  'add-documents': { about: 'chart', cedar: 'AddDocuments', needs: 'demographics' },
  'open-emergency': { about: 'chart', cedar: 'OpenEmergency', needs: null },
  'see-clinic': { about: 'clinic', cedar: 'SeeClinic', needs: null },
  'find-patients': { about: 'clinic', cedar: 'FindPatients', needs: 'demographics' },
  'read-audit': { about: 'clinic', cedar: 'ReadAudit', needs: null },
  'review-emergency': { about: 'clinic', cedar: 'ReviewEmergency', needs: null },
  'review-privacy': { about: 'clinic', cedar: 'ReviewPrivacy', needs: null },
  'manage-keys': { about: 'clinic', cedar: 'ManageKeys', needs: null },
  'destroy-keys': { about: 'clinic', cedar: 'DestroyKeys', needs: null },
  'erase-patient': { about: 'clinic', cedar: 'ErasePatient', needs: null },
} as const satisfies Record<string, { about: 'chart' | 'clinic'; cedar: string; needs: Meaning | null }>;

/** Anything that a policy decides on. */
export type Action = keyof typeof ACTIONS;
type About<A extends 'chart' | 'clinic'> = {
  [K in Action]: (typeof ACTIONS)[K]['about'] extends A ? K : never;
}[Action];
/** Actions about one chart. */
export type ChartAction = About<'chart'>;
/** Actions about the clinic. */
export type ClinicAction = About<'clinic'>;

/** Whether the action is about one chart. */
export const isChartAction = (action: Action): action is ChartAction => ACTIONS[action].about === 'chart';
