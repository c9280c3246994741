import type { Judgement } from '../doctor/check.ts';

/** What the checks look at. */
export interface Deployment {
  /** The repository's root. */
  readonly root: string;
  /** The Firebase project. */
  readonly project: string;
  /** The server's environment in production: `functions/.env.PROJECT`, with placeholders for what Secret Manager holds. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One thing that must be so before anything is deployed, and can be seen from here. */
export interface DeployCheck {
  readonly id: string;
  readonly title: string;
  /** What to do when it is not so. */
  readonly cure: string;
  judge(deployment: Deployment): Promise<Judgement>;
}
