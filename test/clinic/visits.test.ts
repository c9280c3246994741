import { describe } from 'vitest';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { describeVisitLife } from './visit-life.ts';

describe('visits on the memory store', () => {
  describeVisitLife(async () => createMemoryStore());
});
