import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { PatientRef } from '../../src/crypto/patient-keys.ts';
import { startKmsEmulator } from '../../src/dev/kms-emulator/server.ts';
import type { Store } from '../../src/kernel/store.ts';
import { openKeyHouse } from '../lifecycle/key-house.ts';
import { type Finding, judge } from './judge.ts';
import { openSceneStore, ROOT, type Scene, sceneKms } from './scene.ts';

/** How a soak is run. */
export interface SoakOptions {
  readonly store: Scene['store'];
  readonly seconds: number;
  readonly patients?: number;
  readonly onLine?: (line: string) => void;
}

/** What happened, and what was found wrong at the end: nothing, if all is well. */
export interface Soaked {
  readonly acts: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly kills: number;
  readonly jobs: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
}

const PATIENTS = 24;
const DAY = 86_400_000;
/** A killed process is followed by the next after so long, at most. */
const LIFE_MS = { least: 1_500, most: 5_000 };

/** How much longer than it was told to a soak goes on until somebody was erased. */
const GRACE_MS = 60_000;

/** What the servers said: acts that were begun, and those that were acknowledged. */
export interface Witnessed {
  /** Patient → writes acknowledged, and begun without a known end. */
  readonly writes: Map<string, { acked: number; open: number }>;
  /** `patient start` of acknowledged bookings; and how many a patient began without a known end. */
  readonly booked: Set<string>;
  readonly openBookings: Map<string, number>;
}

/** Mixed traffic with every rotation running, KMS failing in between, and processes killed; then everything is judged. */
export async function soak(options: SoakOptions): Promise<Soaked> {
  const folder = mkdtempSync(join(tmpdir(), 'chartseal-soak-'));
  const trail = join(folder, 'trail.ndjson');
  const kms = await startKmsEmulator({ logFile: trail });
  const store = openSceneStore(options.store);
  try {
    const { keyring, admin } = sceneKms(kms.url);
    // The house makes a tenant of its own; its key's policy is the emulator's own.
    const keyId = await plainKey(kms.url);
    const journal = join(folder, 'journal.ndjson');
    const scene = await prepare(options, { store, kms: kms.url, keyId, journal });
    const run = await underLoad(scene, options);
    const findings = await judge({ scene, store, keyring, admin, trail, kmsUrl: kms.url, ...run });
    return { ...run.told, findings };
  } finally {
    await store.close();
    await kms.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prepare(
  { store: at, patients: count = PATIENTS }: SoakOptions,
  parts: { store: Store; kms: string; keyId: string; journal: string },
): Promise<Scene> {
  const { store, kms, keyId, journal } = parts;
  const house = await openKeyHouse({
    ...{ store, ...sceneKms(kms), keyId },
    journal: (line) => appendFileSync(journal, `${JSON.stringify(line)}\n`),
  });
  const patients: PatientRef[] = [];
  for (let made = 0; made < count; made += 1)
    patients.push(await house.newPatient({ still: 'still', count: '0' }));
  return {
    ...{ tenant: house.tenant, store: at, kms, journal },
    patients: patients.map(({ patient }) => patient),
    firstSlot: Math.ceil(Date.now() / DAY) * DAY + 2 * DAY,
  };
}

type Part = 'server' | 'rotator';

async function underLoad(scene: Scene, { seconds, onLine = () => {} }: SoakOptions) {
  const end = Date.now() + seconds * 1_000;
  const witnessed: Witnessed = { writes: new Map(), booked: new Set(), openBookings: new Map() };
  const told = {
    acts: {} as Record<string, number>,
    refused: {} as Record<string, number>,
    kills: 0,
    jobs: {} as Record<string, number>,
  };
  const broken: string[] = [];
  const start = (name: Part): ChildProcess => {
    const child = spawn(process.execPath, [join(import.meta.dirname, `${name}.ts`)], {
      env: { ...process.env, SOAK: JSON.stringify(scene) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(-2_000);
    });
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (name === 'server') hear(line, witnessed, told);
      else told.jobs[line] = (told.jobs[line] ?? 0) + 1;
    });
    child.once('exit', (code, signal) => {
      if (code !== 0 && signal === null) broken.push(`${name}: ${complaint}`);
    });
    return child;
  };
  const live: Record<Part, ChildProcess> = { server: start('server'), rotator: start('rotator') };
  const disturbing = disturb(scene.kms, end);
  while (Date.now() < end && broken.length === 0) {
    const life = LIFE_MS.least + Math.random() * (LIFE_MS.most - LIFE_MS.least);
    await sleep(Math.min(life, Math.max(0, end - Date.now())));
    if (Date.now() >= end) break;
    const victim: Part = Math.random() < 0.5 ? 'server' : 'rotator';
    live[victim].kill('SIGKILL');
    told.kills += 1;
    await ended(live[victim]);
    live[victim] = start(victim);
    onLine(
      `${Math.round((end - Date.now()) / 1_000)} s left, ${told.kills} kills, ${JSON.stringify(told.acts)}`,
    );
  }
  await disturbing;
  // A slow machine may not have come to the rarest act yet.
  const grace = Date.now() + GRACE_MS;
  while (told.acts['erase'] === undefined && Date.now() < grace && broken.length === 0) await sleep(200);
  for (const name of ['server', 'rotator'] as const) {
    live[name].kill('SIGTERM');
    await ended(live[name]);
  }
  return { witnessed, told, broken };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

function hear(
  line: string,
  { writes, booked, openBookings }: Witnessed,
  told: { acts: Record<string, number>; refused: Record<string, number> },
): void {
  const [mark, act = '', patient = '', ...rest] = line.split(' ');
  const writesOf = writes.get(patient) ?? { acked: 0, open: 0 };
  if (mark === '<') told.acts[act] = (told.acts[act] ?? 0) + 1;
  if (mark === '!') told.refused[`${act} ${rest[0]}`] = (told.refused[`${act} ${rest[0]}`] ?? 0) + 1;
  if (act === 'write') {
    if (mark === '>') writesOf.open += 1;
    if (mark === '<') {
      writesOf.open -= 1;
      writesOf.acked += 1;
    }
    writes.set(patient, writesOf);
  }
  if (act === 'book') {
    const open = openBookings.get(patient) ?? 0;
    openBookings.set(patient, open + (mark === '>' ? 1 : mark === '<' ? -1 : 0));
    if (mark === '<' && rest[1] === 'done') booked.add(`${patient} ${rest[0]}`);
  }
}

/** Throttles KMS for a second now and then, and takes it away for a moment. */
async function disturb(kms: string, end: number): Promise<void> {
  const set = (faults: object) =>
    fetch(`${kms}/_admin/faults`, { method: 'PUT', body: JSON.stringify(faults) });
  for (let turn = 0; Date.now() < end; turn += 1) {
    await sleep(Math.min(2_500, Math.max(0, end - Date.now())));
    await set(turn % 3 === 2 ? { outage: true } : { throttleRate: 0.4 });
    await sleep(turn % 3 === 2 ? 500 : 1_200);
    await set({});
  }
}

async function plainKey(endpoint: string): Promise<string> {
  const kms = new KMSClient({ endpoint, ...ROOT });
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  kms.destroy();
  return KeyMetadata?.Arn ?? '';
}
