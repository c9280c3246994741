import { describe, expect, test } from 'vitest';
import { auditPending } from '../../src/audit/append.ts';
import { alter } from '../../src/dev/demo/alteration.ts';
import { ref } from '../../src/kernel/collection.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';

const at = ref(auditPending, 'ev_1');
const rowOf = (byte: number) => ({ leafHash: new Uint8Array(32).fill(byte) });

describe('an alteration behind the server’s back', () => {
  const rows = createMemoryStore().tenant('riverside' as TenantId);

  test('is put back as it was', async () => {
    await rows.transact(async (tx) => tx.put(at, rowOf(1)));
    const undo = await alter(rows, [{ at, row: null }]);
    expect(await rows.get(at)).toEqual([null]);
    await undo();
    expect(await rows.get(at)).toEqual([rowOf(1)]);
  });

  test('is left alone once somebody wrote the row again: what they wrote must not be lost', async () => {
    await rows.transact(async (tx) => tx.put(at, rowOf(1)));
    const undo = await alter(rows, [{ at, row: rowOf(2) }]);
    await rows.transact(async (tx) => tx.put(at, rowOf(3)));
    await expect(undo()).rejects.toMatchObject({
      code: 'CHANGED_MEANWHILE',
      message: expect.stringContaining('stays as it is'),
    });
    expect(await rows.get(at)).toEqual([rowOf(3)]);
  });
});
