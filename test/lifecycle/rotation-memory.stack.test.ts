import { keyRotationContract } from '../contracts/key-rotation.contract.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';

keyRotationContract('in memory', async () => createMemoryStore());
