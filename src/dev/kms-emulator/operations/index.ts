import { ALIAS_OPERATIONS } from './aliases.ts';
import { DATA_KEY_OPERATIONS } from './data-keys.ts';
import { DELETION_OPERATIONS } from './deletion.ts';
import { ENCRYPT_OPERATIONS } from './encrypt.ts';
import { KEY_OPERATIONS } from './keys.ts';
import { MAC_OPERATIONS } from './mac.ts';
import type { Operation } from './operation.ts';
import { POLICY_OPERATIONS } from './policies.ts';
import { REPLICA_OPERATIONS } from './replicas.ts';
import { ROTATION_OPERATIONS } from './rotation.ts';
import { SIGN_OPERATIONS } from './sign.ts';
import { UNSUPPORTED_OPERATIONS } from './unsupported.ts';

/** Every operation by its name after `TrentService.`. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  Object.entries({
    ...KEY_OPERATIONS,
    ...ALIAS_OPERATIONS,
    ...DELETION_OPERATIONS,
    ...ENCRYPT_OPERATIONS,
    ...DATA_KEY_OPERATIONS,
    ...SIGN_OPERATIONS,
    ...MAC_OPERATIONS,
    ...POLICY_OPERATIONS,
    ...ROTATION_OPERATIONS,
    ...REPLICA_OPERATIONS,
    ...UNSUPPORTED_OPERATIONS,
  }),
);
