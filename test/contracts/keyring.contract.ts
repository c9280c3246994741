import { describe, expect, test } from 'vitest';
import type { EncryptionContext, Keyring, WrappedKey } from '../../src/crypto/keyring.ts';
import { rejectionOf } from '../crypto/samples.ts';

/** A keyring with keys to use and the means to take them away. */
export interface KeyringSubject {
  /** The keyring as it is now. */
  keyring(): Keyring;
  /** A wrapping key that works, fresh for the test. */
  freshKey(): Promise<string>;
  /** A well-formed id of a key that is not there. */
  readonly unknownKey: string;
  /** What is not a key's exact id: an alias, a bare id, another scheme. */
  readonly looseNames: readonly string[];
  /** Forbids every further use of the key. */
  disable(keyId: string): Promise<void>;
  /** Ends the key for good, or as far as it ends at once. */
  remove(keyId: string): Promise<void>;
}

const context: EncryptionContext = { app: 'chartseal', tenant: 'riverside', patient: 'pa_1', version: '1' };
const bytesOf = (secret: { export(): Buffer }): string => secret.export().toString('hex');

function flipped(wrapped: WrappedKey, at: number): WrappedKey {
  const blob = Uint8Array.from(wrapped.blob);
  blob[at] = (blob[at] ?? 0) ^ 1;
  return { ...wrapped, blob };
}

/** What every keyring does. `name` says which one is held to it. */
export function keyringContract(name: string, open: () => Promise<KeyringSubject>): void {
  describe(`a keyring (${name})`, () => {
    test('unwraps what it wrapped, again and again, to the same 256 bits', async () => {
      const { keyring, freshKey } = await open();
      const keyId = await freshKey();
      const { secret, wrapped } = await keyring().generate(keyId, context);
      expect(wrapped.keyId).toBe(keyId);
      expect(secret.symmetricKeySize).toBe(32);
      for (let time = 0; time < 3; time += 1) {
        expect(bytesOf(await keyring().unwrap(wrapped, context))).toBe(bytesOf(secret));
      }
    });

    test('never makes the same key twice, and never stores one in clear', async () => {
      const { keyring, freshKey } = await open();
      const keyId = await freshKey();
      const made = await Promise.all(Array.from({ length: 10 }, () => keyring().generate(keyId, context)));
      expect(new Set(made.map(({ secret }) => bytesOf(secret))).size).toBe(10);
      expect(new Set(made.map(({ wrapped }) => Buffer.from(wrapped.blob).toString('hex'))).size).toBe(10);
      for (const { secret, wrapped } of made) {
        expect(Buffer.from(wrapped.blob).includes(secret.export())).toBe(false);
      }
    });

    test('the order in which a context is written does not matter', async () => {
      const { keyring, freshKey } = await open();
      const { wrapped, secret } = await keyring().generate(await freshKey(), context);
      const reversed = Object.fromEntries(Object.entries(context).reverse());
      expect(bytesOf(await keyring().unwrap(wrapped, reversed))).toBe(bytesOf(secret));
    });

    test.each([
      ['another tenant', { ...context, tenant: 'north' }],
      ['another patient', { ...context, patient: 'pa_2' }],
      ['another version', { ...context, version: '2' }],
      ['one pair less', { app: 'chartseal', tenant: 'riverside', patient: 'pa_1' }],
      ['one pair more', { ...context, more: '1' }],
      [
        'a value moved into its name',
        { app: 'chartseal', tenantr: 'iverside', patient: 'pa_1', version: '1' },
      ],
      ['two values exchanged', { ...context, tenant: 'pa_1', patient: 'riverside' }],
    ])('refuses %s', async (_, other: EncryptionContext) => {
      const { keyring, freshKey } = await open();
      const { wrapped } = await keyring().generate(await freshKey(), context);
      expect(await rejectionOf(keyring().unwrap(wrapped, other))).toBe('KMS_CONTEXT');
    });

    test.each([
      ['nothing', {}],
      ['a name', { tenant: 'riverside', patient: 'John Doe' }],
      ['an empty value', { tenant: '' }],
      ['nine pairs', Object.fromEntries([...'abcdefghi'].map((letter) => [letter, '1']))],
      ['a long value', { tenant: 'x'.repeat(65) }],
    ])('asks for no key with a context of %s: others can read it', async (_, other: EncryptionContext) => {
      const { keyring, freshKey } = await open();
      const keyId = await freshKey();
      const { wrapped } = await keyring().generate(keyId, context);
      expect(await rejectionOf(keyring().generate(keyId, other))).toBe('CONTEXT');
      expect(await rejectionOf(keyring().unwrap(wrapped, other))).toBe('CONTEXT');
      expect(await rejectionOf(keyring().rewrap(wrapped, other, keyId))).toBe('CONTEXT');
    });

    test('refuses a wrapped key under the name of another wrapping key', async () => {
      const { keyring, freshKey } = await open();
      const { wrapped } = await keyring().generate(await freshKey(), context);
      const renamed = { ...wrapped, keyId: await freshKey() };
      expect(await rejectionOf(keyring().unwrap(renamed, context))).toBe('KMS_CONTEXT');
    });

    test('refuses wrapped keys of two patients exchanged', async () => {
      const { keyring, freshKey } = await open();
      const keyId = await freshKey();
      const second = { ...context, patient: 'pa_2' };
      const [a, b] = [await keyring().generate(keyId, context), await keyring().generate(keyId, second)];
      expect(await rejectionOf(keyring().unwrap(a.wrapped, second))).toBe('KMS_CONTEXT');
      expect(await rejectionOf(keyring().unwrap(b.wrapped, context))).toBe('KMS_CONTEXT');
    });

    test('refuses a blob that was changed, cut, lengthened or made up', async () => {
      const { keyring, freshKey } = await open();
      const { wrapped } = await keyring().generate(await freshKey(), context);
      const { length } = wrapped.blob;
      const forged: WrappedKey[] = [
        ...[0, Math.floor(length / 2), length - 1].map((at) => flipped(wrapped, at)),
        ...[1, 16, length - 1].map((size) => ({ ...wrapped, blob: wrapped.blob.slice(0, size) })),
        { ...wrapped, blob: Buffer.concat([wrapped.blob, Buffer.alloc(1)]) },
        { ...wrapped, blob: new Uint8Array(length) },
      ];
      for (const [index, bad] of forged.entries()) {
        expect([index, await rejectionOf(keyring().unwrap(bad, context))]).toEqual([index, 'KMS_CONTEXT']);
      }
    });

    test('refuses what no keyring wrote before it asks anybody', async () => {
      const { keyring, freshKey } = await open();
      const keyId = await freshKey();
      for (const blob of [new Uint8Array(), new Uint8Array(6_145)]) {
        expect(await rejectionOf(keyring().unwrap({ keyId, blob }, context))).toBe('FORMAT');
      }
      expect(await rejectionOf(keyring().unwrap({ keyId: '', blob: new Uint8Array(60) }, context))).toBe(
        'FORMAT',
      );
    });

    test('a key that is not there, or is not named exactly, is missing', async () => {
      const { keyring, freshKey, unknownKey, looseNames } = await open();
      const { wrapped } = await keyring().generate(await freshKey(), context);
      expect(looseNames.length).toBeGreaterThan(0);
      for (const keyId of [unknownKey, ...looseNames]) {
        expect([keyId, await rejectionOf(keyring().generate(keyId, context))]).toEqual([
          keyId,
          'KEY_MISSING',
        ]);
        expect(await rejectionOf(keyring().unwrap({ ...wrapped, keyId }, context))).toBe('KEY_MISSING');
        expect(await rejectionOf(keyring().rewrap(wrapped, context, keyId))).toBe('KEY_MISSING');
      }
    });

    test.each(['disable', 'remove'] as const)('after %s a key makes and opens nothing', async (end) => {
      const subject = await open();
      const { keyring, freshKey } = subject;
      const keyId = await freshKey();
      const { wrapped } = await keyring().generate(keyId, context);
      const elsewhere = await keyring().generate(await freshKey(), context);
      await subject[end](keyId);
      expect(await rejectionOf(keyring().generate(keyId, context))).toBe('KEY_DISABLED');
      expect(await rejectionOf(keyring().unwrap(wrapped, context))).toBe('KEY_DISABLED');
      expect(await rejectionOf(keyring().rewrap(elsewhere.wrapped, context, keyId))).toBe('KEY_DISABLED');
    });

    test('rewraps the same key under another, which alone then opens it', async () => {
      const { keyring, freshKey, disable } = await open();
      const [from, to] = [await freshKey(), await freshKey()];
      const { wrapped, secret } = await keyring().generate(from, context);
      const moved = await keyring().rewrap(wrapped, context, to);
      expect(moved.keyId).toBe(to);
      expect(bytesOf(await keyring().unwrap(moved, context))).toBe(bytesOf(secret));
      expect(await rejectionOf(keyring().unwrap({ ...moved, keyId: from }, context))).toBe('KMS_CONTEXT');
      await disable(from);
      expect(bytesOf(await keyring().unwrap(moved, context))).toBe(bytesOf(secret));
    });

    test('rewraps nothing whose context or blob is not right', async () => {
      const { keyring, freshKey } = await open();
      const [from, to] = [await freshKey(), await freshKey()];
      const { wrapped } = await keyring().generate(from, context);
      const other = { ...context, tenant: 'north' };
      expect(await rejectionOf(keyring().rewrap(wrapped, other, to))).toBe('KMS_CONTEXT');
      expect(await rejectionOf(keyring().rewrap(flipped(wrapped, 20), context, to))).toBe('KMS_CONTEXT');
      expect(await rejectionOf(keyring().rewrap({ ...wrapped, keyId: to }, context, to))).toBe('KMS_CONTEXT');
    });
  });
}
