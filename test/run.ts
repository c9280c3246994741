import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFirestoreEmulator } from '../src/dev/backends/find-firestore-emulator.ts';
import { findChromium } from '../src/dev/chromium.ts';

/**
 * The whole test run: finds what the tests need, or installs it where it may; checks; runs every suite on real
 * backends; and ends with one line, `N passed, N failed`.
 */
const ROOT = join(import.meta.dirname, '..');
const CI = process.env['CI'] === 'true';
const INSTALL_MS = 600_000;

interface Need {
  readonly name: string;
  readonly apt: string;
  readonly present: () => Promise<boolean>;
  readonly cure: string;
}

const NEEDS: readonly Need[] = [
  {
    name: 'Chromium',
    apt: 'chromium',
    present: async () => findChromium() !== null,
    cure: 'install Chromium (Debian: apt-get install chromium)',
  },
  {
    name: 'Firestore emulator with Java',
    apt: 'default-jre-headless',
    present: async () => (await findFirestoreEmulator()).found,
    cure: 'run "gcloud components install cloud-firestore-emulator" or "npx firebase setup:emulators:firestore", and install Java 17 or newer',
  },
  {
    name: 'Java 21 for the Firebase Emulator Suite',
    apt: 'openjdk-21-jdk-headless',
    present: async () => (await findFirestoreEmulator({ minJava: 21 })).found,
    cure: 'install a JDK of version 21 or newer below /usr/lib/jvm or name it in JAVA_HOME',
  },
];

async function missingNeeds(): Promise<Need[]> {
  const missing: Need[] = [];
  for (const need of NEEDS) {
    if (!(await need.present())) installByApt(need);
    if (!(await need.present())) missing.push(need);
  }
  return missing;
}

/** As root on Debian; elsewhere the person is told what to do. */
function installByApt({ name, apt }: Need): void {
  if (process.getuid?.() !== 0) return;
  process.stdout.write(`Installing ${apt} for ${name} …\n`);
  try {
    const options = {
      stdio: 'ignore',
      timeout: INSTALL_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    } as const;
    execFileSync('apt-get', ['update', '-qq'], options);
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', apt], options);
  } catch {
    process.stdout.write(`${apt} could not be installed.\n`);
  }
}

function run(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit' });
  return new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
}

async function main(): Promise<number> {
  const missing = await missingNeeds();
  const checks = await staticChecks();
  const report = join(await mkdtemp(join(tmpdir(), 'chartseal-test-')), 'report.json');
  const bin = join(ROOT, 'node_modules/.bin/vitest');
  const exit = await run(bin, [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  const results = read(report);
  const failed = (results?.numFailedTests ?? 0) + checks.failed + (CI ? missing.length : 0);
  const unexplained = exit !== 0 && failed === 0 ? 1 : 0;
  const skipped = (results?.numPendingTests ?? 0) + (results?.numTodoTests ?? 0);
  for (const { name, cure } of missing)
    process.stdout.write(`\nMISSING: ${name}. To run its suites: ${cure}.\n`);
  const passed = (results?.numPassedTests ?? 0) + checks.passed;
  process.stdout.write(
    `\n${passed} passed, ${failed + unexplained} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
  );
  return failed + unexplained > 0 || passed === 0 ? 1 : 0;
}

/** Types, style and dead code count as one test each. */
async function staticChecks(): Promise<{ passed: number; failed: number }> {
  const checks = [['tsc', '--noEmit'], ['biome', 'check', '--error-on-warnings', '.'], ['knip']] as const;
  let failed = 0;
  for (const [name, ...args] of checks) {
    const code = await run(join(ROOT, 'node_modules/.bin', name), args);
    process.stdout.write(`${code === 0 ? '✓' : '✗'} ${[name, ...args].join(' ')}\n`);
    if (code !== 0) failed += 1;
  }
  return { passed: checks.length - failed, failed };
}

function read(file: string): Report | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return null;
  }
}

process.exitCode = await main();
