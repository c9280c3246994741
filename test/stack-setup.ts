import type { TestProject } from 'vitest/node';
import { PARTS, type StackAddresses } from './stack/parts.ts';

declare module 'vitest' {
  interface ProvidedContext extends StackAddresses {}
}

/** Starts every backend once for all stack tests, tells them where it is, and returns how to end them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = await Promise.allSettled(
    PARTS.map(async (part) => {
      const { address, close } = await part.start();
      project.provide(part.name, address);
      return close;
    }),
  );
  const teardown = async (): Promise<void> => {
    const closes = started.flatMap((part) => (part.status === 'fulfilled' ? [part.value()] : []));
    await Promise.allSettled(closes);
  };
  const failed = started.find((part) => part.status === 'rejected');
  if (failed === undefined) return teardown;
  await teardown();
  throw failed.reason;
}
