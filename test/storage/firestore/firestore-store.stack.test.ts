import { openFirestoreStore } from '../../../src/storage/firestore/open-store.ts';
import { describeStore } from '../../contracts/store.contract.ts';
import { firestoreAddress } from '../../stack/addresses.ts';
import { describeNeeding } from '../../stack/needs.ts';

// The emulator makes transactions on one document wait for each other: fewer of them, or the test takes minutes.
const CONTENDERS = 20;

describeNeeding('firestore', 'Firestore', () => {
  describeStore(
    'the official Firestore emulator',
    () => {
      const address = firestoreAddress();
      return {
        address,
        open: ({ host, port } = address) =>
          openFirestoreStore({ projectId: 'demo-chartseal', emulatorHost: `${host}:${port}` }),
      };
    },
    CONTENDERS,
  );
});
