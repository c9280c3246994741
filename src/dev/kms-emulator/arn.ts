import { KmsError } from './errors.ts';

/** `arn:aws:kms:REGION:ACCOUNT:key/ID` */
export const keyArn = (region: string, accountId: string, keyId: string): string =>
  `arn:aws:kms:${region}:${accountId}:key/${keyId}`;

/** `arn:aws:kms:REGION:ACCOUNT:alias/NAME`; `name` already starts with `alias/`. */
export const aliasArn = (region: string, accountId: string, name: string): string =>
  `arn:aws:kms:${region}:${accountId}:${name}`;

const ARN = /^arn:aws:kms:([a-z0-9-]+):(\d{12}):((?:key|alias)\/[A-Za-z0-9/_-]+)$/;

/**
 * What an ARN names within this account and Region: `key/…` or `alias/…`.
 *
 * @throws KmsError `InvalidArnException` when it is no KMS ARN; `NotFoundException` when it names another
 * Region; `AccessDeniedException` when it names another account.
 */
export function resourceOfArn(arn: string, place: { region: string; accountId: string }): string {
  const [, region, account, resource] = ARN.exec(arn) ?? [];
  if (resource === undefined) throw new KmsError('InvalidArnException', `Invalid arn: ${arn}`);
  if (region !== place.region) throw new KmsError('NotFoundException', `Invalid arn ${region}`);
  if (account !== place.accountId) {
    throw new KmsError(
      'AccessDeniedException',
      `The resource ${arn} is in another account, and this emulator holds one account.`,
    );
  }
  return resource;
}
