import { describe, expect, test } from 'vitest';
import { deleteBelow, LISTED, type ObjectStore } from '../../src/clinic/documents/object-store.ts';
import { codeOfAsync } from '../crypto/code-of.ts';

const PLACE = 'riverside/pat_1/doc_1/';
const bytes = (text: string): Buffer => Buffer.from(text);

/** What every object store does. `open` gives a fresh one. */
export function objectStoreContract(name: string, open: () => Promise<ObjectStore>): void {
  describe(`an object store (${name})`, () => {
    test('gives back what was put, byte by byte; what was not put is not there', async () => {
      const objects = await open();
      const large = Buffer.alloc(524_360, 0xa7);
      await objects.put(`${PLACE}0`, large);
      await objects.put(`${PLACE}1`, Buffer.alloc(0));
      expect((await objects.get(`${PLACE}0`))?.equals(large)).toBe(true);
      expect(await objects.get(`${PLACE}1`)).toEqual(Buffer.alloc(0));
      expect(await objects.get(`${PLACE}2`)).toBeNull();
      expect(await objects.get('riverside/pat_1/doc_1')).toBeNull();
    });

    test('lists what lies below a prefix, and nothing else', async () => {
      const objects = await open();
      for (const at of [`${PLACE}0`, `${PLACE}1`, 'riverside/pat_1/doc_2/0', 'riverside/pat_10/doc_1/0'])
        await objects.put(at, bytes('x'));
      expect((await objects.list(PLACE)).sort()).toEqual([`${PLACE}0`, `${PLACE}1`]);
      expect(await objects.list('riverside/pat_1/')).toHaveLength(3);
      expect(await objects.list('riverside/pat_2/')).toEqual([]);
      expect(await objects.list('harbor/')).toEqual([]);
    });

    test('deletes one, and says nothing of one that is not there', async () => {
      const objects = await open();
      await objects.put(`${PLACE}0`, bytes('x'));
      await objects.delete(`${PLACE}0`);
      await objects.delete(`${PLACE}0`);
      expect(await objects.get(`${PLACE}0`)).toBeNull();
      await objects.put(`${PLACE}0`, bytes('again'));
      expect((await objects.get(`${PLACE}0`))?.toString()).toBe('again');
    });

    test('everything below a prefix goes, however much, and twice at once', async () => {
      const objects = await open();
      for (let from = 0; from < LISTED + 50; from += 50)
        await Promise.all(
          Array.from({ length: 50 }, (_, n) => objects.put(`${PLACE}${from + n}`, bytes('x'))),
        );
      await objects.put('riverside/pat_2/doc_1/0', bytes('stays'));
      expect((await objects.list(PLACE)).length).toBeLessThanOrEqual(LISTED);
      await Promise.all([deleteBelow(objects, 'riverside/pat_1/'), deleteBelow(objects, 'riverside/pat_1/')]);
      expect(await objects.list('riverside/pat_1/')).toEqual([]);
      expect(await objects.list('riverside/')).toEqual(['riverside/pat_2/doc_1/0']);
    });

    test.each([
      '../escape',
      '/etc/passwd',
      'a/../../b',
      'a',
      'a//b',
      'a/b?x',
      'a/b%2f',
      `a/${'b'.repeat(65)}`,
      '',
    ])('refuses the name %j', async (wrong) => {
      const objects = await open();
      expect(await codeOfAsync(objects.put(wrong, bytes('x')))).toBe('OBJECTS_UNAVAILABLE');
      expect(await codeOfAsync(objects.get(wrong))).toBe('OBJECTS_UNAVAILABLE');
      expect(await codeOfAsync(objects.delete(wrong))).toBe('OBJECTS_UNAVAILABLE');
    });
  });
}
