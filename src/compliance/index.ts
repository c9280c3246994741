/**
 * `chartseal/compliance`: looks at another app's data, keys, access and audit log, and says what it saw as typed findings,
 * without the rest of Chartseal. `examples/compliance.ts` is a whole program.
 *
 * A finding is evidence for the people who judge. None says that an organisation meets a law.
 */

export { ChartsealError, InputError, type InputErrorCode } from '../kernel/errors.ts';
export {
  type AccessAccount,
  type AccessCase,
  type AccessControl,
  type AccessRole,
  checkAccessControl,
} from './library/access.ts';
export {
  checkEncryptionAtRest,
  type EncryptionOptions,
  type StoredCollection,
  type StoredRow,
} from './library/encryption.ts';
export type { Finding, Status } from './library/finding.ts';
export { checkKeyRotation, type KeyRecord, type KeyRotationOptions } from './library/keys.ts';
export { checkPhiAccessLogging, type PhiAccess, type PhiEvent, type PhiLogging } from './library/logging.ts';
export type { SessionLifetimes } from './sessions.ts';
