import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { Judgement } from '../doctor/check.ts';
import { type ByHand, stepsByHand } from './by-hand.ts';
import type { DeployCheck, Deployment } from './check.ts';
import { DEPLOY_CHECKS } from './checks.ts';

/** What Secret Manager holds is not here; its form is checked where it is set. */
const PLACEHOLDERS = {
  CHARTSEAL_SIGNING_KEYS: JSON.stringify([
    { kty: 'EC', crv: 'P-256', kid: 'placeholder', x: 'x', y: 'y', d: 'd', alg: 'ES256' },
  ]),
  CHARTSEAL_COOKIE_KEYS: 'placeholder-placeholder-placeholder-placeholder',
};

/** One line of the dry run. */
export type DeployFinding = Pick<DeployCheck, 'id' | 'title' | 'cure'> & Judgement;

/** Everything that can be checked without an account, and the commands for the rest. Changes nothing outside `functions/lib`. */
export async function dryRun(
  root: string,
  project: string,
  checks: readonly DeployCheck[] = DEPLOY_CHECKS,
): Promise<{ readonly findings: readonly DeployFinding[]; readonly byHand: readonly ByHand[] }> {
  const file = await readFile(join(root, `functions/.env.${project}`), 'utf8').catch(() => null);
  const env = { GCLOUD_PROJECT: project, ...PLACEHOLDERS, ...parseEnv(file ?? '') };
  const deployment: Deployment = { root, project, env };
  const findings: DeployFinding[] = [];
  for (const { id, title, cure, judge } of checks) {
    const judgement = await judge(deployment).catch(
      (error: unknown): Judgement => ({
        outcome: 'fail',
        reason: error instanceof Error ? error.message : 'it cannot be read',
      }),
    );
    findings.push({ id, title, cure, ...judgement });
  }
  return { findings, byHand: stepsByHand(project) };
}
