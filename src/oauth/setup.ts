import type { AuthorizationServerOptions } from './authorization-server.ts';
import { developmentOnly } from './development.ts';
import { OAuthError } from './errors.ts';

/** @throws OAuthError `SETUP` for a configuration that is not safe to run. */
export function assertSafe(options: AuthorizationServerOptions): void {
  if (new URL(options.issuer).origin !== options.issuer)
    throw unsafe('The issuer is an origin without a path.');
  if (options[developmentOnly] !== true) assertProduction(options);
  if (options.cookieKeys.length === 0 || options.cookieKeys.some((key) => key.length < 32)) {
    throw unsafe('Give at least one cookie key of 32 characters or more.');
  }
  const { signingKeys } = options;
  const es256 = signingKeys.every(
    ({ kty, crv, d, kid }) => kty === 'EC' && crv === 'P-256' && d !== undefined && kid !== undefined,
  );
  if (signingKeys.length === 0 || !es256)
    throw unsafe('Give at least one private ES256 signing key, each with its kid.');
  if (new Set(signingKeys.map(({ kid }) => kid)).size < signingKeys.length)
    throw unsafe('Give each signing key a kid of its own.');
}

function assertProduction(options: AuthorizationServerOptions): void {
  const { issuer, pages, withoutSecondFactor = [], identityProviders = [] } = options;
  if (!issuer.startsWith('https://')) throw unsafe('The issuer must be https.');
  if (pages.authEmulatorUrl !== undefined) throw unsafe('The Auth emulator is for development only.');
  const plain = identityProviders
    .flatMap((one) => [one.authorizeUrl, one.tokenUrl])
    .some((url) => !url.startsWith('https://'));
  if (plain) throw unsafe('Accounts elsewhere are reached over https.');
  if (withoutSecondFactor.length > 0) throw unsafe('Nobody is exempt from the second factor in production.');
}

const unsafe = (message: string): OAuthError => new OAuthError('SETUP', message);
