import type { Caller } from '../caller.ts';
import type { Input } from '../input.ts';
import type { KeyStore } from '../key-store.ts';
import type { Rules } from '../policy.ts';

/** One request on its way through an operation. */
export interface Call {
  /** `Encrypt`, `Decrypt`, … */
  readonly name: string;
  readonly input: Input;
  readonly caller: Caller;
  readonly store: KeyStore;
  readonly rules: Rules;
  readonly accountId: string;
  /** ARNs of the keys that the call reached, for the log. */
  readonly reached: Set<string>;
}

/** The members of an answer: binary as base64, dates as seconds since the Unix epoch. */
export type Output = Readonly<Record<string, unknown>>;

/** One operation of the `TrentService`. */
export interface Operation {
  /** CloudTrail's `readOnly`. */
  readonly readOnly: boolean;
  /** The request members that CloudTrail shows. None of them may hold plaintext, a message or a ciphertext. */
  readonly logs: readonly string[];
  /** @throws KmsError with the AWS name of what is wrong; the state is then unchanged. */
  readonly run: (call: Call) => Output;
}

/** AWS JSON dates: seconds since the Unix epoch. */
export const seconds = (milliseconds: number): number => milliseconds / 1000;
