import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { patientKeyVersions } from '../../src/crypto/patient-keys.ts';
import type { Store } from '../../src/kernel/store.ts';
import { openStore } from '../audit/stores.ts';
import { openWithKms } from '../contracts/key-rotation.contract.ts';
import { allRows, BY, textOf } from '../lifecycle/key-house.ts';
import { addressOf } from '../stack/addresses.ts';
import { describeOnBothStores } from '../stack/needs.ts';
import type { JobWork } from './job-process.ts';

const SCRIPT = join(import.meta.dirname, 'job-process.ts');
const PATIENTS = 30;
/** A killed worker's transactions hold rows of Firestore's emulator for up to a minute. */
const KILLS = { firestore: 1, postgres: 3 } as const;

describeOnBothStores(
  (store) => `workers killed in the middle of jobs, on ${store}`,
  (kind) => {
    let store: Store;
    beforeAll(async () => {
      store = await openStore(kind);
    });
    afterAll(() => store.close());

    /** One worker's life, ended by SIGKILL after so many steps; null lets it finish. */
    async function work(
      jobs: JobWork,
      killAfter: number | null,
    ): Promise<{ signal: string | null; said: string }> {
      const child = spawn(process.execPath, [SCRIPT], {
        env: { ...process.env, JOBS: JSON.stringify(jobs) },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (killAfter !== null && said.split('\n').length > killAfter) child.kill('SIGKILL');
      });
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
      return { signal, said };
    }

    test('started again they end as if nothing had happened: every chart opens, no old header, no old key', async () => {
      const { house, kms } = await openWithKms(store);
      const patients = [];
      for (let made = 0; made < PATIENTS; made += 10)
        patients.push(...(await Promise.all(Array.from({ length: 10 }, () => house.newPatient()))));
      await house.rotations.rotateWrappingKey(house.tenant, BY);
      const start = { by: BY, isWide: true };
      const ids = [
        await house.rotations.reencrypt(house.tenant, { ...start, before: Date.now() + 1 }),
        await house.rotations.rewrap(house.tenant, start),
        await house.rotations.reindex(house.tenant, start),
      ];
      const jobs = { tenant: house.tenant, store: { kind, address: addressOf(kind) }, kms: kms.url, ids };
      const signals = [];
      for (let kill = 1; kill <= KILLS[kind]; kill += 1) signals.push((await work(jobs, kill * 4)).signal);
      expect(new Set(signals)).toEqual(new Set(['SIGKILL']));
      expect((await work(jobs, null)).said.trim().split('\n').at(-1)).toBe('done done done');
      for (const versions of (await house.headers()).values()) expect([...versions]).toEqual([2]);
      expect(await allRows(store, house.tenant, patientKeyVersions)).toHaveLength(PATIENTS);
      const { material } = await house.rotations.wrappingTarget(house.tenant);
      expect(new Set(await house.materials())).toEqual(new Set([material]));
      house.cache.flush('');
      for (const of of patients) expect(await textOf(house, of, 'a')).toBe('one');
      for (const id of ids)
        expect(
          (await house.events()).filter(
            ({ entity }) => entity?.id === id && entity.fields?.[0] === 'drained',
          ),
        ).toHaveLength(1);
    }, 300_000);
  },
);
