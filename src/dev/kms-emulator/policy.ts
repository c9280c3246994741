import type { Caller } from './caller.ts';
import type { EncryptionContext } from './ciphertext.ts';
import type { Target } from './operations/target.ts';

/** One question to a key's policy. */
export interface KeyAccess {
  readonly caller: Caller;
  /** `kms:Decrypt`, … */
  readonly action: string;
  readonly target: Target;
  readonly context: EncryptionContext;
  readonly conditions: Readonly<Record<string, string>>;
}

/** Decides who may do what. */
export class Rules {
  demandOnKey(_access: KeyAccess): void {}
  demand(_access: Pick<KeyAccess, 'caller' | 'action'>): void {}
  demandNoLockout(_caller: Caller, _policy: string, _bypass: boolean): void {}
}
