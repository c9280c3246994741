import { execFile } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MIN_JAVA = 17;

/** Where the official emulator and a Java for it are; or, in one sentence, what is missing. */
export type FirestoreEmulatorLocation =
  | { readonly found: true; readonly jar: string; readonly java: string }
  | { readonly found: false; readonly reason: string };

/** Where to look; for tests. */
export interface SearchPlaces {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly home?: string;
  readonly jvmFolder?: string;
  /** The oldest Java that will do; 17 unless given (firebase-tools wants 21). */
  readonly minJava?: number;
}

/**
 * Looks for the official Firestore emulator (the Google Cloud SDK's component, else the jar that firebase-tools
 * keeps) and a Java of at least 17 (`JAVA_HOME`, `PATH`, `/usr/lib/jvm`).
 */
export async function findFirestoreEmulator(places: SearchPlaces = {}): Promise<FirestoreEmulatorLocation> {
  const { env = process.env, home = homedir(), jvmFolder = '/usr/lib/jvm', minJava = MIN_JAVA } = places;
  const jar = jarOfGcloud(env) ?? jarOfFirebaseTools(home);
  if (jar === null) {
    const reason =
      'The official Firestore emulator is not on this machine. Run "gcloud components install cloud-firestore-emulator" or "npx firebase setup:emulators:firestore".';
    return { found: false, reason };
  }
  const java = await findJava(env, { jvmFolder, minJava });
  if (java === null)
    return { found: false, reason: `The Firestore emulator needs Java ${minJava} or newer.` };
  return { found: true, jar, java };
}

function jarOfGcloud(env: Readonly<Record<string, string | undefined>>): string | null {
  const gcloud = onPath('gcloud', env);
  if (gcloud === null) return null;
  const folder = join(dirname(dirname(realpathSync(gcloud))), 'platform/cloud-firestore-emulator');
  return newestJar(folder);
}

function jarOfFirebaseTools(home: string): string | null {
  return newestJar(join(home, '.cache/firebase/emulators'));
}

function newestJar(folder: string): string | null {
  const jars = list(folder).filter((name) => /^cloud-firestore-emulator.*\.jar$/.test(name));
  const newest = jars.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  return newest === undefined ? null : join(folder, newest);
}

async function findJava(
  env: Readonly<Record<string, string | undefined>>,
  { jvmFolder, minJava }: { jvmFolder: string; minJava: number },
): Promise<string | null> {
  const home = env['JAVA_HOME'];
  const candidates = [
    home === undefined ? null : join(home, 'bin/java'),
    onPath('java', env),
    ...list(jvmFolder).map((name) => join(jvmFolder, name, 'bin/java')),
  ];
  for (const java of candidates)
    if (java !== null && existsSync(java) && (await javaVersion(java)) >= minJava) return java;
  return null;
}

async function javaVersion(java: string): Promise<number> {
  try {
    const { stdout, stderr } = await run(java, ['-version'], { timeout: 10_000 });
    return Number(/version "(\d+)/.exec(stdout + stderr)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function onPath(command: string, env: Readonly<Record<string, string | undefined>>): string | null {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, command)).find((path) => existsSync(path)) ?? null;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
