import { initializeApp } from '@firebase/app';
import {
  type Auth,
  connectAuthEmulator,
  getMultiFactorResolver,
  initializeAuth,
  inMemoryPersistence,
  type MultiFactorError,
  type MultiFactorResolver,
  signInWithEmailAndPassword,
  TotpMultiFactorGenerator,
  type UserCredential,
} from '@firebase/auth';
import { element } from '../page.ts';
import { messageFor } from './messages.ts';

/**
 * The sign-in page: Firebase Auth checks email and password, and a code of an authenticator app when the account
 * has one; our server gets the ID token alone. Nothing is kept in the browser.
 */

/** The page's data block, made by the server. */
interface Config {
  readonly apiKey: string;
  /** The Auth emulator's address; null in production. */
  readonly emulator: string | null;
}

const config = JSON.parse(element('#sign-in-config', HTMLScriptElement).text) as Config;
const form = element('#sign-in', HTMLFormElement);
const email = element('#email', HTMLInputElement);
const password = element('#password', HTMLInputElement);
const code = element('#code', HTMLInputElement);
const idToken = element('[name="idToken"]', HTMLInputElement);
const button = element('#sign-in button', HTMLButtonElement);
const error = element('#error', HTMLElement);
const firstStep = element('#first-step', HTMLElement);
const secondStep = element('#second-step', HTMLElement);
const label = button.textContent;

/** Set between the two steps of an account that has two. */
let resolver: MultiFactorResolver | null = null;

function startAuth(): Auth {
  const auth = initializeAuth(initializeApp({ apiKey: config.apiKey }), { persistence: inMemoryPersistence });
  if (config.emulator !== null) connectAuthEmulator(auth, config.emulator, { disableWarnings: true });
  return auth;
}

const auth = startAuth();

function setBusy(busy: boolean): void {
  button.disabled = busy;
  button.textContent = busy ? 'Signing in…' : label;
}

/** Shows the step that is due, and puts the person into its field. */
function showStep(next: MultiFactorResolver | null): void {
  resolver = next;
  firstStep.hidden = next !== null;
  secondStep.hidden = next === null;
  email.required = password.required = next === null;
  code.required = next !== null;
  const field = next === null ? password : code;
  field.focus();
  field.select();
}

async function signIn(): Promise<UserCredential> {
  if (resolver === null) return signInWithEmailAndPassword(auth, email.value.trim(), password.value);
  const factor = resolver.hints.find(({ factorId }) => factorId === TotpMultiFactorGenerator.FACTOR_ID);
  const assertion = TotpMultiFactorGenerator.assertionForSignIn(factor?.uid ?? '', code.value.trim());
  return resolver.resolveSignIn(assertion);
}

function explain(cause: unknown): void {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (reason === 'auth/multi-factor-auth-required') {
    const next = getMultiFactorResolver(auth, cause as MultiFactorError);
    if (next.hints.some(({ factorId }) => factorId === TotpMultiFactorGenerator.FACTOR_ID)) {
      showStep(next);
      return;
    }
  }
  error.textContent = messageFor(reason);
  // A wrong code can be typed again; anything else begins anew.
  showStep(reason === 'auth/invalid-verification-code' ? resolver : null);
}

async function submit(): Promise<void> {
  error.textContent = '';
  setBusy(true);
  try {
    const { user } = await signIn();
    idToken.value = await user.getIdToken();
    form.submit();
  } catch (cause) {
    setBusy(false);
    explain(cause);
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void submit();
});

// Back from the next page: the form must be usable again.
addEventListener('pageshow', () => setBusy(false));
