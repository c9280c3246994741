import { KmsError } from './errors.ts';

/** The policy that AWS gives a key created without one: the account's root user may do everything. */
export const defaultPolicy = (accountId: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  });

/** @throws KmsError `MalformedPolicyDocumentException` */
export function parsePolicy(text: string, _kind: 'key'): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new KmsError('MalformedPolicyDocumentException', 'The policy is not JSON.');
  }
}
