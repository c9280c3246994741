import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, type Provider } from 'oidc-provider';
import { type Details, loginOf, saveGrant, scopesOf } from './consent.ts';
import { OAuthError } from './errors.ts';
import { formToken, isOwnForm } from './form-token.ts';
import { consentPage, type PageContext, sendPage } from './pages.ts';
import { actsFor, type ClinicPerson } from './people.ts';
import type { SignedIn } from './sign-in.ts';
import { signInPage } from './sign-in-pages.ts';
import { goToProvider, returnFromProvider, submitSignIn } from './sign-in-step.ts';
import { expired, type InteractionOptions, type Visit } from './visit.ts';

const ADDRESS =
  /^\/oauth\/interaction\/([A-Za-z0-9_-]{1,64})(?:\/(sign-in|consent|cancel|returned|with-[a-z]{1,16}))?$/;

/** Scopes of OpenID that a client may ask for although they are not offered. */
const UNLISTED: Readonly<Record<string, string>> = {
  openid: 'Know which account you signed in with',
  email: 'See your email address',
  offline_access: 'Stay connected until you disconnect it',
};

/** Whether `path` is a sign-in or consent page, or one of their forms. */
export const isInteractionPath = (path: string): boolean => ADDRESS.test(path);

/**
 * Serves the pages between an authorization request and its code.
 *
 * @returns a handler that throws OAuthError `INTERACTION_EXPIRED` or `CROSS_SITE`, for the caller to show.
 */
export function createInteractions(
  options: InteractionOptions,
): (request: {
  req: IncomingMessage;
  res: ServerResponse;
  path: string;
  body: Buffer;
  query: URLSearchParams;
  address: string;
}) => Promise<void> {
  return async ({ req, res, path, body, query, address }) => {
    const [, uid = '', action] = ADDRESS.exec(path) ?? [];
    const details = await findInteraction(options.provider, req, res, uid);
    const form = new URLSearchParams(body.toString('utf8'));
    const context = await contextOf(options, details);
    const visit: Visit = { req, res, details, context, form, query, address };
    if (req.method === 'POST') {
      assertOwnForm(options, visit);
      if (action === 'sign-in') return submitSignIn(options, visit);
      if (action === 'consent') return submitConsent(options, visit);
      if (action === 'cancel') return cancel(options, visit);
      if (action?.startsWith('with-') === true)
        return goToProvider(options, visit, action.slice('with-'.length));
    }
    if (action === 'returned') return returnFromProvider(options, visit);
    await showPage(options, visit);
  };
}

async function findInteraction(
  provider: Provider,
  req: IncomingMessage,
  res: ServerResponse,
  uid: string,
): Promise<Details> {
  const details = await provider.interactionDetails(req, res).catch((cause: unknown) => {
    throw cause instanceof errors.SessionNotFound ? expired(cause) : cause;
  });
  if (details.uid !== uid) throw expired();
  return details;
}

async function contextOf(options: InteractionOptions, details: Details): Promise<PageContext> {
  const clientId = String(details.params['client_id']);
  const client = await options.provider.Client.find(clientId);
  return {
    path: `/oauth/interaction/${details.uid}`,
    csrf: formToken(options.formKey, { page: 'interaction', id: details.uid }),
    clientName: shown(client?.clientName ?? new URL(String(details.params['redirect_uri'])).host),
    redirect: new URL(String(details.params['redirect_uri'])),
  };
}

/** A client chooses its own name: short, one line, no characters that reorder text. */
const shown = (name: string): string => name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').slice(0, 60);

async function showPage(options: InteractionOptions, { res, details, context }: Visit): Promise<void> {
  if (details.prompt.name !== 'consent') return sendPage(res, signInPage(options.pages, context));
  const { person, offered } = await askedOf(options, details);
  const permissions = offered.map((scope) => options.scopes[scope] ?? UNLISTED[scope] ?? scope);
  sendPage(res, consentPage(options.pages, context, { permissions, actsFor: actsFor(person) }));
}

/** Who is asked, and which of the scopes that the client wants suit them. */
async function askedOf(
  options: InteractionOptions,
  details: Details,
): Promise<{ login: SignedIn; person: ClinicPerson; offered: string[] }> {
  const login = loginOf(details);
  const person = login === null ? null : await options.people.find(login.tenant, login.userId);
  if (login === null || person === null) throw expired();
  return { login, person, offered: scopesOf(details, options.scopesFor(person.role)) };
}

/** A form counts only from our own page (its origin) and from this interaction (its token). */
function assertOwnForm({ issuer, formKey }: InteractionOptions, { req, form, details }: Visit): void {
  const own = isOwnForm(formKey, { page: 'interaction', id: details.uid }, form.get('csrf'));
  if (req.headers.origin !== issuer || !own) {
    throw new OAuthError('CROSS_SITE', 'Start again from the app that you were connecting.');
  }
}

async function submitConsent(options: InteractionOptions, visit: Visit): Promise<void> {
  const { req, res, details, form } = visit;
  if (details.prompt.name !== 'consent') throw expired();
  const { login, offered } = await askedOf(options, details);
  const clientId = String(details.params['client_id']);
  const who = { clientId, userId: login.userId, tenant: login.tenant, scopes: offered };
  if (form.get('decision') !== 'allow' || offered.length === 0) {
    await options.onEvent({ kind: 'consent-denied', ...who });
    return deny(options.provider, visit);
  }
  const grantId = await saveGrant(options, details, { login, offered });
  await options.keepClient(clientId);
  await options.onEvent({ kind: 'consent-given', ...who, grantId });
  await options.provider.interactionFinished(req, res, { consent: { grantId } });
}

async function cancel(options: InteractionOptions, visit: Visit): Promise<void> {
  const clientId = String(visit.details.params['client_id']);
  await options.onEvent({ kind: 'sign-in-cancelled', clientId });
  await deny(options.provider, visit);
}

const deny = (provider: Provider, { req, res }: Visit): Promise<void> =>
  provider.interactionFinished(req, res, {
    error: 'access_denied',
    error_description: 'The person did not allow the connection.',
  });
