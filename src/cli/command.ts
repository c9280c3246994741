import type { ParseArgsConfig } from 'node:util';

/** Exit codes of every command. */
export const EXIT = { ok: 0, no: 1, usage: 2, unknown: 3 } as const;

/** The words of the command line do not make a call. */
export class UsageError extends Error {}

/** What a command is given. */
export interface Invocation {
  readonly values: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];
  readonly json: boolean;
}

/** One command of the command line. */
export interface Command {
  readonly usage: string;
  readonly summary: string;
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** What an option means that is given without a value. */
  readonly bare?: Readonly<Record<string, string>>;
  /** The exit code. */
  readonly run: (invocation: Invocation) => Promise<number>;
}
