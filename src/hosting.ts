/**
 * Where a deployment runs and how, in one place: `functions/index.ts` is set by it, the dry run's commands and the policies
 * are written from it, and a test holds `infra/google` and `firebase.json` to it.
 */
export const HOSTING = {
  functionsRegion: 'us-central1',
  /** A multi-region: it survives the loss of one. */
  firestoreLocation: 'nam5',
} as const;

/** Who a function runs as; each assumes an AWS role of its own. */
export const ACCOUNTS = { app: 'chartseal', rewrap: 'chartseal-keys', signing: 'chartseal-signing' } as const;

/** Runs started by the clock, of which two at once would be useless. */
const CLOCKED = {
  region: HOSTING.functionsRegion,
  memory: '512MiB',
  timeoutSeconds: 300,
  maxInstances: 1,
  retryCount: 0,
  // Cloud Scheduler and Cloud Tasks of the project count as internal.
  ingressSettings: 'ALLOW_INTERNAL_ONLY',
} as const;
const MINUTELY = { ...CLOCKED, schedule: 'every 1 minutes' } as const;

/** How each function is deployed. */
export const FUNCTIONS = {
  chartseal: {
    region: HOSTING.functionsRegion,
    memory: '512MiB',
    timeoutSeconds: 60,
    concurrency: 40,
    // One is always warm: the first call of a quiet morning waits for no cold start.
    minInstances: 1,
    maxInstances: 100,
    invoker: 'public',
    // The assistant comes from outside.
    ingressSettings: 'ALLOW_ALL',
  },
  documents: {
    region: HOSTING.functionsRegion,
    memory: '512MiB',
    timeoutSeconds: 180,
    concurrency: 4,
    maxInstances: 100,
    invoker: 'public',
    ingressSettings: 'ALLOW_ALL',
  },
  auditSequence: MINUTELY,
  auditCheckpoint: MINUTELY,
  privacyRequests: { ...MINUTELY, memory: '1GiB' },
  holdSweep: MINUTELY,
  expirySweep: { ...CLOCKED, schedule: 'every 1 hours' },
  auditRetention: { ...CLOCKED, schedule: '1 of month 04:00' },
  keyRotation: { ...CLOCKED, schedule: 'every 10 minutes' },
  jobStep: {
    region: HOSTING.functionsRegion,
    memory: '512MiB',
    timeoutSeconds: 120,
    concurrency: 1,
    ingressSettings: 'ALLOW_INTERNAL_ONLY',
    retryConfig: { maxAttempts: 10, minBackoffSeconds: 2, maxBackoffSeconds: 300 },
    rateLimits: { maxConcurrentDispatches: 16 },
  },
} as const;

/** Functions that run as another than the app. */
export const RUN_AS: Readonly<Partial<Record<keyof typeof FUNCTIONS, keyof typeof ACCOUNTS>>> = {
  auditCheckpoint: 'signing',
  keyRotation: 'rewrap',
  jobStep: 'rewrap',
};

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
