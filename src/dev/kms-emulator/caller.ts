import type { IncomingMessage } from 'node:http';
import { KmsError } from './errors.ts';
import type { Roles } from './roles.ts';
import { openSession, unrecognized } from './session-token.ts';

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
  /^AWS4-HMAC-SHA256 .*Credential=([A-Za-z0-9_]{4,128})\/\d{8}\/([a-z0-9-]{1,32})\/(kms|sts)\/aws4_request/;

/**
 * @throws KmsError `MissingAuthenticationTokenException` without a header, `IncompleteSignatureException` when it
 * is not SigV4 for this service.
 */
export function credentialScope(request: IncomingMessage, service: 'kms' | 'sts'): CredentialScope {
  const { authorization } = request.headers;
  if (authorization === undefined) {
    throw new KmsError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  const [, accessKeyId, region, signedFor] = SCOPE.exec(authorization) ?? [];
  if (accessKeyId === undefined || region === undefined || signedFor !== service) {
    throw new KmsError(
      'IncompleteSignatureException',
      `The Authorization header is not SigV4 with a credential scope of DATE/REGION/${service}/aws4_request.`,
    );
  }
  return { accessKeyId, region };
}

/** What {@link identify} needs to tell who calls. */
export interface Identities {
  readonly accountId: string;
  readonly roles: Roles;
  readonly sessionSecret: Buffer;
  readonly now: number;
  readonly service: 'kms' | 'sts';
}

/**
 * Temporary credentials (`ASIA…`, or any with a session token) act as the role they were given for; any other
 * access key acts as the account's root user.
 *
 * @throws KmsError as {@link credentialScope}, and `UnrecognizedClientException` or `ExpiredTokenException`.
 */
export function identify(request: IncomingMessage, identities: Identities): Caller {
  const scope = credentialScope(request, identities.service);
  const token = request.headers['x-amz-security-token'];
  if (token === undefined && !scope.accessKeyId.startsWith('ASIA')) {
    const arn = `arn:aws:iam::${identities.accountId}:root`;
    return { type: 'Root', arn, principalArn: arn, sessionPolicy: null, ...scope };
  }
  if (typeof token !== 'string') throw unrecognized();
  const { sessionSecret: secret, now, roles } = identities;
  const session = openSession(token, { secret, accessKeyId: scope.accessKeyId, now });
  return {
    type: 'AssumedRole',
    arn: roles.sessionArn(session.roleArn, session.sessionName),
    principalArn: session.roleArn,
    sessionPolicy: session.policy,
    ...scope,
  };
}
