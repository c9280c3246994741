import { describe, inject } from 'vitest';
import { openFirestoreStore } from '../../../src/storage/firestore/open-store.ts';
import { describeStore } from '../../contracts/store.contract.ts';

const address = inject('firestore');
const NAME = 'the official Firestore emulator';

// The emulator makes transactions on one document wait for each other: fewer of them, or the test takes minutes.
const CONTENDERS = 20;

if ('missing' in address && process.env['CI'] !== 'true') {
  describe.skip(`the store contract on ${NAME} (not run: ${address.missing})`, () => undefined);
} else {
  describeStore(
    NAME,
    () => {
      if ('missing' in address) throw new Error(address.missing);
      return {
        address,
        open: ({ host, port } = address) =>
          openFirestoreStore({ projectId: 'demo-chartseal', emulatorHost: `${host}:${port}` }),
      };
    },
    CONTENDERS,
  );
}
