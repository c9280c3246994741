import { CryptoError, type CryptoErrorCode } from './errors.ts';

/** For one call with all its attempts; they also end one by one, by the bounds of the client. */
const CALL_MS = 10_000;
const KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/;

/** AWS error name → our code. What is not named here is `KMS_UNAVAILABLE`. */
const CODES: Readonly<Record<string, CryptoErrorCode>> = {
  InvalidCiphertextException: 'KMS_CONTEXT',
  IncorrectKeyException: 'KMS_CONTEXT',
  DisabledException: 'KEY_DISABLED',
  KMSInvalidStateException: 'KEY_DISABLED',
  NotFoundException: 'KEY_MISSING',
  InvalidKeyUsageException: 'KEY_MISSING',
  AccessDeniedException: 'KMS_DENIED',
  AccessDenied: 'KMS_DENIED',
  InvalidIdentityToken: 'KMS_DENIED',
  InvalidIdentityTokenException: 'KMS_DENIED',
  UnrecognizedClientException: 'KMS_DENIED',
  ExpiredTokenException: 'KMS_DENIED',
  CredentialsProviderError: 'KMS_DENIED',
  ThrottlingException: 'KMS_THROTTLED',
  LimitExceededException: 'KMS_THROTTLED',
};

const MESSAGES: Partial<Record<CryptoErrorCode, string>> = {
  KMS_CONTEXT: 'KMS refused the ciphertext: it belongs to another key or context, or was changed.',
  KEY_DISABLED: 'The KMS key is disabled or about to be deleted. Enable it first.',
  KEY_MISSING: 'There is no such KMS key for encryption. Check the key ARN.',
  KMS_DENIED: 'KMS denied the call. Check the credentials, the role and the key policy.',
  KMS_THROTTLED: 'KMS is throttling calls. Try again in a moment.',
  KMS_UNAVAILABLE: 'KMS did not answer. Try again in a moment.',
};

/** Runs one KMS call; a failure leaves as a code, without AWS's text, which may quote the request. */
export async function callKms<T>(send: (bound: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
  try {
    return await send({ abortSignal: AbortSignal.timeout(CALL_MS) });
  } catch (error) {
    if (error instanceof CryptoError) throw error;
    throw kmsFailure(CODES[error instanceof Error ? error.name : ''] ?? 'KMS_UNAVAILABLE');
  }
}

/** The error of a code that KMS calls end with. */
export const kmsFailure = (code: CryptoErrorCode): CryptoError => new CryptoError(code, MESSAGES[code] ?? '');

/** @throws CryptoError `KEY_MISSING` unless `keyId` is a full key ARN: an alias can be retargeted. */
export function requireKeyArn(keyId: string): void {
  if (!KEY_ARN.test(keyId))
    throw new CryptoError(
      'KEY_MISSING',
      'A KMS key is named by its full key ARN, never by an alias or a bare id.',
    );
}
