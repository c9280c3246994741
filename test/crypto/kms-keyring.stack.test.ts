import { expect, test } from 'vitest';
import { startKms } from './kms.ts';
import { rejectionOf } from './samples.ts';

const context = { app: 'chartseal', tenant: 'riverside', patient: 'pa_1', version: '1' };

test('with the bounds of production, a KMS that does not answer is given up after 10 s', async () => {
  const kms = await startKms();
  const key = await kms.createKey();
  await kms.faults({ latencyMs: 40_000 });
  const started = performance.now();
  expect(await rejectionOf(kms.keyring().generate(key, context))).toBe('KMS_UNAVAILABLE');
  expect(performance.now() - started).toBeLessThan(12_000);
});
