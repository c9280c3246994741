import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineSecret } from 'firebase-functions/params';
import { onRequest } from 'firebase-functions/v2/https';
import { onSchedule } from 'firebase-functions/v2/scheduler';
import { onTaskDispatched } from 'firebase-functions/v2/tasks';
import { retentionRound } from '../src/audit/retention.ts';
import { checkpointRound, sequenceRound } from '../src/audit/rounds.ts';
import { uploadRound } from '../src/clinic/documents/uploads.ts';
import { sweepRound } from '../src/clinic/sweep-holds.ts';
import { expiryRound } from '../src/collections.ts';
import { type Composed, compose } from '../src/compose.ts';
import { readConfig } from '../src/config.ts';
import { configurationRound } from '../src/configuration.ts';
import { FUNCTIONS, SECRETS } from '../src/hosting.ts';
import type { Asset } from '../src/http/app.ts';
import { ChartsealError } from '../src/kernel/errors.ts';
import type { JobTask } from '../src/lifecycle/jobs/queue.ts';
import { runTask } from '../src/lifecycle/jobs/worker.ts';
import { privacyRound } from '../src/lifecycle/privacy-round.ts';
import { rotationRound } from '../src/lifecycle/rotation/due.ts';

/** Beside this file once it is bundled: the browser code and its index. */
const WEB = join(import.meta.dirname, 'web');

let composed: Composed | undefined;

/** Made at the first request, when secrets are known, and kept for the life of the instance. */
function chart(): Composed {
  composed ??= compose(readConfig(process.env), {
    assets: readAssets(),
    widgets: readWidgets(),
    journal: (line) => log({ severity: 'NOTICE', message: 'audit', ...line }),
    onFault: (fault) => log({ severity: 'ERROR', message: 'fault', ...fault }),
    jobFunction: { region: FUNCTIONS.jobStep.region, functionName: 'jobStep' },
    onAlert: (alert) => log({ severity: 'ALERT', message: 'access', ...alert }),
  });
  return composed;
}

function readAssets(): ReadonlyMap<string, Asset> {
  const index = JSON.parse(readFileSync(join(WEB, 'index.json'), 'utf8')) as Record<
    string,
    Omit<Asset, 'body'> & { file: string }
  >;
  return new Map(
    Object.entries(index).map(([path, { file, ...asset }]) => [
      path,
      { ...asset, body: readFileSync(join(WEB, file)) },
    ]),
  );
}

function readWidgets(): ReadonlyMap<string, string> {
  const pages = JSON.parse(readFileSync(join(WEB, 'widgets.json'), 'utf8')) as Record<string, string>;
  return new Map(Object.entries(pages));
}

/** One line of JSON: Cloud Logging reads its fields. */
const log = (entry: Readonly<Record<string, string>>): boolean =>
  process.stdout.write(`${JSON.stringify(entry)}\n`);

/** The emulator has them in its environment. */
const secrets = () =>
  process.env['FUNCTIONS_EMULATOR'] === 'true' ? [] : SECRETS.map((name) => defineSecret(name));

const jobFault =
  (message: string) =>
  (error: unknown): void =>
    void log({
      severity: 'ERROR',
      message,
      code: error instanceof ChartsealError ? error.code : 'UNEXPECTED',
    });

/** Everything that Chartseal serves over HTTP. */
export const chartseal = onRequest({ ...FUNCTIONS.chartseal, secrets: secrets() }, (req, res) =>
  chart().handle(req, res),
);

/**
 * The addresses to which people bring files. The platform holds a request's whole body (at most 32 MB) in memory before it
 * is ours, so an instance takes few at once. The function above serves these addresses as well, for who cannot route them.
 */
export const documents = onRequest({ ...FUNCTIONS.documents, secrets: secrets() }, (req, res) =>
  chart().handle(req, res),
);

/** Notes what changed of policies, settings and registries, then puts pending events into each tenant's tree. */
export const auditSequence = onSchedule({ ...FUNCTIONS.auditSequence, secrets: secrets() }, async () => {
  const { services } = chart();
  const tenants = await chart().tenants();
  const onFault = jobFault('audit');
  await configurationRound(readConfig(process.env), services, { tenants, onFault });
  await sequenceRound(services.store, tenants, { onFault });
});

/** Signs each tenant's tree. Give it a service account of its own: only that one's AWS role may sign. */
export const auditCheckpoint = onSchedule({ ...FUNCTIONS.auditCheckpoint, secrets: secrets() }, async () => {
  const { proof, tenants } = chart();
  if (proof !== null) await checkpointRound(proof.checkpoints, await tenants(), jobFault('audit'));
});

/** Makes the exports that people confirmed, and erases whom they asked to erase once that may be. */
export const privacyRequests = onSchedule({ ...FUNCTIONS.privacyRequests, secrets: secrets() }, async () => {
  const { privacy, tenants } = chart();
  await privacyRound(privacy, await tenants(), { onFault: jobFault('privacy') });
});

/** Frees the times whose hold is over, and offers them to the waiting list. */
export const holdSweep = onSchedule({ ...FUNCTIONS.holdSweep, secrets: secrets() }, async () => {
  const { services, tenants } = chart();
  await sweepRound(await tenants(), { ...services, onFault: jobFault('holds') });
});

/** Deletes what has expired: codes, sessions, tokens, counts, kept answers, files that never arrived whole. */
export const expirySweep = onSchedule({ ...FUNCTIONS.expirySweep, secrets: secrets() }, async () => {
  const { services, privacy, tenants } = chart();
  const [all, onFault] = [await tenants(), jobFault('expiry')];
  await expiryRound(services, all, { now: services.clock(), onFault });
  await uploadRound(privacy, all, { onFault });
});

/** Cuts audit events that are over ten years old. On PostgreSQL the owner does it: `chartseal audit cut`. */
export const auditRetention = onSchedule({ ...FUNCTIONS.auditRetention, secrets: secrets() }, async () => {
  const { services, tenants } = chart();
  if (services.store.kind !== 'firestore') return;
  await retentionRound({ ...services, now: services.clock() }, await tenants(), jobFault('retention'));
});

/** Starts the rotations that are due, and hands out again what has stalled. */
export const keyRotation = onSchedule({ ...FUNCTIONS.keyRotation, secrets: secrets() }, async () => {
  await rotationRound(chart().rotations, await chart().tenants(), jobFault('rotation'));
});

/** Some steps of a job. A task that fails is tried again; what is given up for good the round above hands out anew. */
export const jobStep = onTaskDispatched<JobTask>(
  { ...FUNCTIONS.jobStep, secrets: secrets() },
  async ({ data }) => {
    await runTask(chart().rotations.jobs, data).catch((error: unknown) => {
      jobFault('jobs')(error);
      throw error;
    });
  },
);
