import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PatientRef } from '../../src/crypto/patient-keys.ts';
import { ChartsealError } from '../../src/kernel/errors.ts';
import type { PatientId, TenantId } from '../../src/kernel/ids.ts';
import { book, factsOf, type KeyHouse, textOf, update } from '../lifecycle/key-house.ts';
import { comeAndGo } from './erasures.ts';
import { openScene, openSceneStore, sceneFromEnv } from './scene.ts';

/**
 * A server under mixed traffic until SIGTERM or its death. It says `> act patient number` before each act and `< …`
 * once it was acknowledged, so that whoever watches knows what must be there, and what may be.
 */

const LANES = 4;
const scene = sceneFromEnv();
const store = openSceneStore(scene.store);
const house = await openScene(scene, store);
let isOver = false;
process.once('SIGTERM', () => {
  isOver = true;
});
const say = (line: string): void => void writeSync(1, `${line}\n`);

/** One kind of traffic. */
interface Act {
  readonly name: string;
  readonly share: number;
  run(at: KeyHouse, of: PatientRef, seed: number): Promise<string>;
}

const ACTS: readonly Act[] = [
  {
    name: 'read',
    share: 5,
    run: async (at, of) => {
      if ((await textOf(at, of, 'still')) !== 'still') throw new Error('A value is not what was written.');
      const [mrn = ''] = factsOf(of).mrns;
      const found = await at.index.find(of.tenant, { mrn, birthDate: '1980-01-02' });
      if (found[0] !== of.patient) throw new Error('A patient was not found.');
      return '';
    },
  },
  {
    name: 'write',
    share: 3,
    run: async (at, of) => {
      let count = 0;
      await update(at, of, {
        document: 'count',
        change: (text) => {
          count = Number(text) + 1;
          return String(count);
        },
      });
      return String(count);
    },
  },
  {
    name: 'book',
    share: 1,
    run: async (at, of, seed) => {
      const start = scene.firstSlot + seed * 1_800_000;
      const { outcome } = await book(at, of, { start, slotId: `s_${seed}` });
      return `${start} ${outcome}`;
    },
  },
  {
    name: 'erase',
    share: 1,
    run: async (at, _of, seed) => {
      await comeAndGo(at, scene, scene.firstSlot + seed * 1_800_000);
      return '';
    },
  },
];
const DEALT = ACTS.flatMap((act) => Array.from({ length: act.share }, () => act));
/** No two acts of any server book the same half hour by chance; slots are taken from a wide field. */
const FIELD = 1_400;

async function lane(): Promise<void> {
  while (!isOver) {
    const act = DEALT[Math.floor(Math.random() * DEALT.length)];
    const patient = scene.patients[Math.floor(Math.random() * scene.patients.length)];
    if (act === undefined || patient === undefined) return;
    const of = { tenant: scene.tenant as TenantId, patient: patient as PatientId };
    const seed = Math.floor(Math.random() * FIELD);
    say(`> ${act.name} ${patient}`);
    try {
      say(`< ${act.name} ${patient} ${await act.run(house, of, seed)}`);
    } catch (error) {
      say(`! ${act.name} ${patient} ${error instanceof ChartsealError ? error.code : String(error)}`);
      if (!(error instanceof ChartsealError)) throw error;
      await sleep(100);
    }
  }
}

await Promise.all(Array.from({ length: LANES }, lane));
await store.close();
say('over');
