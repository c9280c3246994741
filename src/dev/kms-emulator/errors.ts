import { ChartsealError } from '../../kernel/errors.ts';

/** The AWS error names that this emulator answers with. They travel in `__type` and `x-amzn-errortype`. */
export type KmsErrorName =
  | 'AccessDeniedException'
  | 'AlreadyExistsException'
  | 'ConflictException'
  | 'DependencyTimeoutException'
  | 'DisabledException'
  | 'DryRunOperationException'
  | 'ExpiredTokenException'
  | 'IncompleteSignatureException'
  | 'IncorrectKeyException'
  | 'InvalidAliasNameException'
  | 'InvalidArnException'
  | 'InvalidCiphertextException'
  | 'InvalidGrantTokenException'
  | 'InvalidKeyUsageException'
  | 'InvalidMarkerException'
  | 'KMSInternalException'
  | 'KMSInvalidMacException'
  | 'KMSInvalidSignatureException'
  | 'KMSInvalidStateException'
  | 'KeyUnavailableException'
  | 'LimitExceededException'
  | 'MalformedPolicyDocumentException'
  | 'MissingAuthenticationTokenException'
  | 'NotAuthorizedException'
  | 'NotFoundException'
  | 'RequestEntityTooLargeException'
  | 'SerializationException'
  | 'ThrottlingException'
  | 'UnknownOperationException'
  | 'UnrecognizedClientException'
  | 'UnsupportedOperationException'
  | 'ValidationException';

const STATUS: Partial<Record<KmsErrorName, number>> = {
  DependencyTimeoutException: 500,
  KMSInternalException: 500,
  KeyUnavailableException: 500,
  RequestEntityTooLargeException: 413,
};

const RETRYABLE: ReadonlySet<KmsErrorName> = new Set([
  'DependencyTimeoutException',
  'KMSInternalException',
  'KeyUnavailableException',
  'ThrottlingException',
]);

/** An answer of the emulated service: the caller gets its code as the AWS error name, and its message. */
export class KmsError extends ChartsealError<KmsErrorName> {
  constructor(name: KmsErrorName, message: string) {
    super(name, message, { retryable: RETRYABLE.has(name) });
  }

  /** The HTTP status that AWS sends with this error. */
  get status(): number {
    return STATUS[this.code] ?? 400;
  }
}

/** Codes for an emulator that cannot start or go on. */
export type KmsEmulatorErrorCode = 'STATE_FILE' | 'STATE_FILE_SHARED' | 'LISTEN';

/** The emulator itself could not start or keep its state. */
export class KmsEmulatorError extends ChartsealError<KmsEmulatorErrorCode> {}
