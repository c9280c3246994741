import { initializeApp } from '@firebase/app';
import {
  type Auth,
  connectAuthEmulator,
  initializeAuth,
  inMemoryPersistence,
  signInWithEmailAndPassword,
} from '@firebase/auth';
import { messageFor } from './messages.ts';

/**
 * The sign-in page: Firebase Auth checks email and password, and our server gets the ID token alone. Nothing is
 * kept in the browser.
 */

/** The page's data block, made by the server. */
interface Config {
  readonly apiKey: string;
  /** The Auth emulator's address; null in production. */
  readonly emulator: string | null;
}

function element<T extends HTMLElement>(selector: string, type: new () => T): T {
  const found = document.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`The page has no ${selector}.`);
  return found;
}

const config = JSON.parse(element('#sign-in-config', HTMLScriptElement).text) as Config;
const form = element('#sign-in', HTMLFormElement);
const email = element('#email', HTMLInputElement);
const password = element('#password', HTMLInputElement);
const idToken = element('[name="idToken"]', HTMLInputElement);
const button = element('#sign-in button', HTMLButtonElement);
const error = element('#error', HTMLElement);
const label = button.textContent;

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

async function submit(): Promise<void> {
  error.textContent = '';
  setBusy(true);
  try {
    const { user } = await signInWithEmailAndPassword(auth, email.value.trim(), password.value);
    idToken.value = await user.getIdToken();
    form.submit();
  } catch (cause) {
    setBusy(false);
    error.textContent = messageFor(cause instanceof Error && 'code' in cause ? String(cause.code) : '');
    password.select();
    password.focus();
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void submit();
});

// Back from the next page: the form must be usable again.
addEventListener('pageshow', () => setBusy(false));
