import { ChartsealError } from '../../src/kernel/errors.ts';

/** The code that `work` is refused with, or `done`. Any other error is a bug and goes on. */
export function codeOf(work: () => unknown): string {
  try {
    work();
    return 'done';
  } catch (error) {
    if (error instanceof ChartsealError) return error.code;
    throw error;
  }
}

/** As {@link codeOf}, for a promise. */
export async function codeOfAsync(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error instanceof ChartsealError) return error.code;
    throw error;
  }
}
