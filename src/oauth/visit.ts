import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import type { Clock } from '../kernel/clock.ts';
import type { Details } from './consent.ts';
import { OAuthError } from './errors.ts';
import type { OAuthEvent } from './events.ts';
import type { Federation } from './federation.ts';
import type { GrantRegistry } from './grants.ts';
import type { PageAssets, PageContext } from './pages.ts';
import type { PersonDirectory } from './people.ts';
import type { RateLimits } from './rate-limits.ts';
import type { SignIn } from './sign-in.ts';

/** What the pages between an authorization request and its code stand on. */
export interface InteractionOptions {
  readonly provider: Provider;
  readonly issuer: string;
  readonly signIn: SignIn;
  readonly grants: GrantRegistry;
  readonly people: PersonDirectory;
  /** Accounts that need no second factor though their role does. */
  readonly withoutSecondFactor: readonly string[];
  /** The scopes that suit a role. */
  readonly scopesFor: (role: string) => readonly string[];
  /** Called when a person has connected the client. */
  readonly keepClient: (clientId: string) => Promise<void>;
  readonly limits: RateLimits;
  readonly federation: Federation;
  /** Scope → its meaning in words. */
  readonly scopes: Readonly<Record<string, string>>;
  readonly pages: PageAssets;
  readonly now: Clock;
  /** Keys the forms' tokens; the first one of the cookie keys. */
  readonly formKey: string;
  /** Awaited before the person goes on: if it fails, so does the step. */
  readonly onEvent: (event: OAuthEvent) => Promise<void>;
}

/** One request to an interaction's address. */
export interface Visit {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly details: Details;
  readonly context: PageContext;
  readonly form: URLSearchParams;
  readonly query: URLSearchParams;
  /** Whence the request came, as the rate limits count. */
  readonly address: string;
}

/** Where the session's cookie is valid. */
export const SESSION_PATH = '/oauth';

/** The interaction is over, of another browser, or not at this step. */
export const expired = (cause?: unknown): OAuthError =>
  new OAuthError('INTERACTION_EXPIRED', 'Start again from the app that you were connecting.', { cause });
