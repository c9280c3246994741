import { freePort } from '../../src/dev/backends/free-port.ts';
import { startSuite } from '../../src/dev/suite.ts';
import { startTestStack } from './stack.ts';
import { describeVisit } from './visit.ts';

describeVisit('emulator suite', 'the deployable bundle in the Firebase Emulator Suite', async () =>
  startTestStack(startSuite, { port: await freePort() }),
);
