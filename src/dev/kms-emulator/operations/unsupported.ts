import { KmsError } from '../errors.ts';
import type { Call, Operation } from './operation.ts';

/**
 * What every cryptographic call ends its checks with: members that this emulator cannot honour are refused, not
 * ignored, and a dry run that got this far succeeds (which AWS reports as an error).
 *
 * @throws KmsError `InvalidGrantTokenException`, `UnsupportedOperationException`, `DryRunOperationException`.
 */
export function refuseUnsupported(call: Call): void {
  if (call.input.list('GrantTokens').length > 0) {
    throw new KmsError('InvalidGrantTokenException', 'Grants are not emulated, so no grant token is valid.');
  }
  if (call.input.has('Recipient')) {
    throw new KmsError(
      'UnsupportedOperationException',
      'Recipient (Nitro Enclaves, NitroTPM) is not emulated.',
    );
  }
  if (call.input.boolean('DryRun')) {
    throw new KmsError(
      'DryRunOperationException',
      'The request would have succeeded, but the DryRun option is set.',
    );
  }
}

const refuse = (message: string): Operation => ({
  readOnly: false,
  logs: ['KeyId'],
  run: () => {
    throw new KmsError('UnsupportedOperationException', message);
  },
});

const GRANTS = refuse('Grants are not emulated: give the role a statement in the key policy.');
const OTHER = refuse('AWS KMS has this operation, and this emulator does not.');

/** Operations that AWS KMS has and this emulator refuses by name. */
export const UNSUPPORTED_OPERATIONS: Readonly<Record<string, Operation>> = {
  CreateGrant: GRANTS,
  ListGrants: GRANTS,
  ListRetirableGrants: GRANTS,
  RetireGrant: GRANTS,
  RevokeGrant: GRANTS,
  ...Object.fromEntries(
    [
      'ConnectCustomKeyStore',
      'CreateCustomKeyStore',
      'DeleteCustomKeyStore',
      'DeleteImportedKeyMaterial',
      'DeriveSharedSecret',
      'DescribeCustomKeyStores',
      'DisconnectCustomKeyStore',
      'GenerateDataKeyPair',
      'GenerateDataKeyPairWithoutPlaintext',
      'GetParametersForImport',
      'ImportKeyMaterial',
      'TagResource',
      'UntagResource',
      'UpdateCustomKeyStore',
      'UpdateKeyDescription',
      'UpdatePrimaryRegion',
    ].map((name) => [name, OTHER]),
  ),
};
