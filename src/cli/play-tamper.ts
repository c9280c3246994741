import { setTimeout as sleep } from 'node:timers/promises';
import { formatReport } from '../audit/verify/format.ts';
import { overall, type Report } from '../audit/verify/report.ts';
import type { Composed } from '../compose.ts';
import { connectNewEra } from '../dev/demo/clients.ts';
import { TAMPERINGS, type Tampering, type TamperScene, tamper } from '../dev/demo/tamper.ts';
import { StackError } from '../dev/errors.ts';
import { openOwnerStore } from '../dev/owner-store.ts';
import { parseTenantId } from '../kernel/ids.ts';
import { EXIT, UsageError } from './command.ts';
import { composeHere } from './here.ts';
import { johnAt, requireStack } from './local.ts';
import { bold, dim, green, out, red } from './terminal.ts';
import { verifyTenant } from './verify-tenant.ts';

const TENANT = parseTenantId('riverside');
/** The stack signs once a minute. */
const SIGNED_TRIES = 40;
const SIGNED_POLL_MS = 2_000;

interface Played {
  readonly how: Tampering;
  readonly console: string;
  readonly altered: readonly string[];
  readonly before: Report;
  readonly after: Report;
  /** Once everything is back; null when it was kept. */
  readonly restored: Report | null;
}

/**
 * Alters the local stack's store behind the server's back, shows what the verifier says before and after, and puts
 * everything back unless `keep` is given. The exit code is 0 when it was found out.
 *
 * @throws StackError `NO_STACK` anywhere but on the local stack.
 */
export async function playTamper(values: Readonly<Record<string, unknown>>, json: boolean): Promise<number> {
  const how = TAMPERINGS.find((one) => one === values['tamper']);
  if (how === undefined) throw new UsageError(`Say what to do: --tamper=${TAMPERINGS.join('|')}.`);
  if (process.env['CHARTSEAL_ORIGIN'] !== undefined)
    throw new StackError('NO_STACK', 'This works on the local stack only. Unset CHARTSEAL_ORIGIN.');
  const env = await requireStack();
  const owner = openOwnerStore(env);
  const { composed } = await composeHere();
  const tell = json ? () => {} : out;
  try {
    const { mcp, person } = johnAt(env);
    const place = {
      rows: owner.tenant(TENANT),
      user: 'usr_john',
      connect: () => connectNewEra(mcp, person),
      wait: (why: string) => tell(dim(`  ${why}`)),
    };
    const stage = { composed, place, address: `${env['CHARTSEAL_ORIGIN'] ?? ''}/console`, tell };
    const played = await play(how, stage, values['keep'] === true);
    return conclude(played, json);
  } finally {
    await owner.close();
    await composed.close();
  }
}

interface Stage {
  readonly composed: Composed;
  readonly place: Omit<TamperScene, 'covered'>;
  readonly address: string;
  readonly tell: (text: string) => void;
}

async function play(
  how: Tampering,
  { composed, place, address, tell }: Stage,
  keep: boolean,
): Promise<Played> {
  const look = async (title: string, report?: Report): Promise<Report> => {
    const seen = report ?? (await verifyTenant(composed, TENANT)).report;
    tell(`\n${bold(title)}\n${formatReport(seen)}`);
    return seen;
  };
  const before = await look('Before', await wholeLog(composed));
  // From here on Ctrl-C ends the wait, not the process: what was altered is put back first.
  const leaving = onLeave();
  const { lines, undo } = await tamper(how, { ...place, covered: before.covered });
  const played = { how, console: address, altered: lines, before };
  let settled = keep;
  try {
    tell(`\n${bold(`Behind the server’s back: ${how}`)}\n${lines.map((line) => `  ${line}`).join('\n')}`);
    const after = await look('After');
    tell(`\nThe same in a browser: ${bold(address)} as auditor@example.com (Verify again).`);
    if (settled) return { ...played, after, restored: null };
    if (process.stdin.isTTY && process.stdout.isTTY) {
      tell(dim('Press Enter to put everything back.'));
      await Promise.race([leaving, enter()]);
      process.stdin.pause();
    }
    settled = true;
    await undo();
    return { ...played, after, restored: await look('Put back') };
  } finally {
    if (!settled) await undo();
  }
}

/** @throws StackError `NOTHING_TO_ALTER` when the log does not hold to begin with. */
async function wholeLog(composed: Composed): Promise<Report> {
  for (let tries = 0; ; tries += 1) {
    const { report } = await verifyTenant(composed, TENANT);
    const verdict = overall(report);
    if (verdict === 'pass' && report.covered > 0) return report;
    if (verdict === 'fail' || tries === SIGNED_TRIES)
      throw new StackError(
        'NOTHING_TO_ALTER',
        `The log is not whole to begin with.\n${formatReport(report)}`,
      );
    await sleep(SIGNED_POLL_MS);
  }
}

/** Ctrl-C or a polite kill. */
function onLeave(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  return promise;
}

function enter(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.stdin.once('data', () => resolve());
  return promise;
}

function conclude(played: Played, json: boolean): number {
  const isFound = overall(played.after) === 'fail';
  const isBack = played.restored === null || overall(played.restored) === 'pass';
  const ok = isFound && isBack;
  if (json) out(JSON.stringify({ ok, ...played }));
  else if (!isFound) out(red('\nIt was not found out.'));
  else if (!isBack)
    out(red('\nIt was found out, and the log does not hold again. Start with an empty .chartseal folder.'));
  else if (played.restored === null)
    out(green('\nIt was found out, and stays. Start again with an empty .chartseal folder.'));
  else out(green('\nIt was found out, and everything is as it was.'));
  return ok ? EXIT.ok : EXIT.no;
}
