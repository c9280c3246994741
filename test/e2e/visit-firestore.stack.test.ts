import { startStack } from '../../src/dev/stack.ts';
import { startTestStack } from './stack.ts';
import { describeVisit } from './visit.ts';

describeVisit('firestore', 'the official Firestore emulator', () =>
  startTestStack(startStack, { store: 'firestore' }),
);
