import { describe } from 'vitest';
import { findFirestoreEmulator } from '../../src/dev/backends/find-firestore-emulator.ts';
import { findChromium } from '../../src/dev/chromium.ts';

/** What a machine may lack. Each name is what a report says was not run. */
export type Need = 'firestore' | 'postgres' | 'emulator suite' | 'chromium';

const firestore = await findFirestoreEmulator();
const suite = await findFirestoreEmulator({ minJava: 21 });
const HERE: Readonly<Record<Need, boolean>> = {
  firestore: firestore.found,
  postgres: true,
  'emulator suite': suite.found,
  chromium: findChromium() !== null,
};
const CI = process.env['CI'] === 'true';

/**
 * A suite that needs a part which a developer's machine may lack. There it is skipped, counted, and named; in CI
 * it runs all the same, and fails.
 */
export function describeNeeding(need: Need, name: string, body: () => void): void {
  if (HERE[need] || CI) describe(name, body);
  else describe.skip(`${name} (not run: this machine has no ${need})`, body);
}

/** One suite for each store. */
export function describeOnBothStores(
  name: (store: 'firestore' | 'postgres') => string,
  body: (store: 'firestore' | 'postgres') => void,
): void {
  for (const store of ['firestore', 'postgres'] as const)
    describeNeeding(store, name(store), () => body(store));
}
