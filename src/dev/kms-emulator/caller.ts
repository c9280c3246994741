import { KmsError } from './errors.ts';

/** Who calls, as the policies and the log see them. */
export interface Caller {
  readonly type: 'Root' | 'AssumedRole';
  /** The account's root user, or `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. */
  readonly arn: string;
  /** What a key policy names: the root user or the role's ARN. */
  readonly principalArn: string;
  readonly accessKeyId: string;
  /** The Region of the SigV4 credential scope: a call is served by the Region it was signed for. */
  readonly region: string;
  /** The session policy given when the role was assumed, as JSON; null when there is none. */
  readonly sessionPolicy: string | null;
}

/** The parts of a SigV4 `Authorization` header that the emulator reads. It does not check the signature. */
export interface CredentialScope {
  readonly accessKeyId: string;
  readonly region: string;
}

const SCOPE =
  /^AWS4-HMAC-SHA256 .*Credential=([A-Za-z0-9_]{4,128})\/\d{8}\/([a-z0-9-]{1,32})\/kms\/aws4_request/;

/**
 * @throws KmsError `MissingAuthenticationTokenException` without a header, `IncompleteSignatureException` when it
 * is not SigV4 for the service `kms`.
 */
export function credentialScope(authorization: string | undefined): CredentialScope {
  if (authorization === undefined) {
    throw new KmsError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  const [, accessKeyId, region] = SCOPE.exec(authorization) ?? [];
  if (accessKeyId === undefined || region === undefined) {
    throw new KmsError(
      'IncompleteSignatureException',
      'The Authorization header is not SigV4 with a credential scope of DATE/REGION/kms/aws4_request.',
    );
  }
  return { accessKeyId, region };
}
