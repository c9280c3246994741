/**
 * Where a deployment runs and how, in one place: `functions/index.ts` is set by it, the dry run's commands and the policies
 * are written from it, and a test holds `infra/google` and `firebase.json` to it.
 */
export const HOSTING = {
  functionsRegion: 'us-central1',
  /** A multi-region: it survives the loss of one. */
  firestoreLocation: 'nam5',
} as const;

/** What Secret Manager holds; everything else in the environment is no secret. */
export const SECRETS = ['CHARTSEAL_SIGNING_KEYS', 'CHARTSEAL_COOKIE_KEYS'] as const;

/** What rings, and what it means. `filter` is Cloud Logging's. The runbook and `infra` name the same. */
export interface Alarm {
  readonly name: string;
  readonly from: 'CloudWatch' | 'Cloud Logging' | 'uptime check';
  /** Null where the alarm is not made from the process log. */
  readonly filter: string | null;
  readonly means: string;
}

const logged = (name: string, severity: string, message: string, means: string): Alarm => ({
  ...{ name, from: 'Cloud Logging', means },
  filter: `severity=${severity} AND jsonPayload.message="${message}"`,
});
const watched = (name: string, means: string): Alarm => ({ name, from: 'CloudWatch', filter: null, means });

/** Every alarm, by its name. */
export const ALARMS: readonly Alarm[] = [
  watched('chartseal-key-touched', 'somebody changed, disabled or scheduled the deletion of a key'),
  watched('chartseal-key-refused', 'KMS refused a use of a key: a wrong role, or another tenant’s context'),
  watched('chartseal-trail-stopped', 'somebody stopped or changed the trail'),
  logged('chartseal-access', 'ALERT', 'access', 'emergency access, or unusually many charts opened'),
  logged('chartseal-audit', 'ERROR', 'audit', 'sequencing or signing of the log failed'),
  logged('chartseal-jobs', 'ERROR', 'jobs', 'a step of a key job failed for good'),
  logged('chartseal-rotation', 'ERROR', 'rotation', 'rotations that are due could not be started'),
  logged('chartseal-privacy', 'ERROR', 'privacy', 'an export or an erasure failed'),
  logged('chartseal-holds', 'ERROR', 'holds', 'holds that are over were not freed'),
  logged('chartseal-expiry', 'ERROR', 'expiry', 'what has expired was not deleted'),
  logged('chartseal-retention', 'ERROR', 'retention', 'the log’s old beginning was not cut'),
  logged('chartseal-fault', 'ERROR', 'fault', 'a request ended in a fault of ours'),
  {
    ...{ name: 'chartseal-ready', from: 'uptime check', filter: null },
    means: '`/readyz` is not 200: the store, KMS, the issuer’s keys or the checkpoint',
  },
];
