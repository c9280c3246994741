import { html, jsonBlock } from '../kernel/html.ts';
import { documentOf, type Page, type PageAssets, policy } from '../oauth/pages.ts';
import { shell } from './shell.ts';

/** What the console's script is told. No PHI: a clinic's name, an opaque user id, times. */
export interface ShellConfig {
  readonly tenant: string;
  readonly clinic: string;
  /** IANA zone of the clinic's wall clock. */
  readonly zone: string;
  readonly user: string;
  readonly idleMs: number;
  /** The session ends at the latest then, ms since the epoch. */
  readonly until: number;
}

/** The console itself: an empty shell that its script fills. */
export function consolePage(assets: PageAssets, config: ShellConfig): Page {
  const body = html`${shell(assets.name, config)}
    ${jsonBlock('console-config', config)}
    <script type="module" src="/assets/console.js"></script>`;
  return {
    status: 200,
    body: documentOf({ title: `Audit log of ${config.clinic}`, style: '/assets/console-style.css' }, body),
    policy: policy({ connect: ["'self'"], worker: true }),
  };
}
