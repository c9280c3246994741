import type { Provider } from 'oidc-provider';

const OWN = /^\/oauth\/authorize(?:\/|$)/;
const METADATA = 'authorization_response_iss_parameter_supported';

/**
 * Middleware that takes `iss` (RFC 9207) away from authorization responses and from the metadata, for clients that
 * stumble over it. The library always sends it, on errors too; that is the default, and stays the better choice.
 */
export function withoutIssParameter(discovery: ReadonlySet<string>): Parameters<Provider['use']>[0] {
  return async (ctx, next) => {
    await next();
    if (discovery.has(ctx.path) && ctx.status === 200) delete (ctx.body as Record<string, unknown>)[METADATA];
    if (!OWN.test(ctx.path)) return;
    const location = URL.parse(ctx.response.get('location'));
    if (location !== null) ctx.set('location', withoutIss(location));
    else if (typeof ctx.body === 'string')
      ctx.body = ctx.body.replace(/<input type="hidden" name="iss" value="[^"]*"\s*\/?>/, '');
  };
}

function withoutIss(location: URL): string {
  location.searchParams.delete('iss');
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (fragment.has('iss')) {
    fragment.delete('iss');
    location.hash = fragment.toString();
  }
  return location.href;
}
