import { startStack } from '../../src/dev/stack.ts';
import { startTestStack } from './stack.ts';
import { describeVisit } from './visit.ts';

describeVisit('postgres', 'real PostgreSQL', () => startTestStack(startStack, { store: 'postgres' }));
