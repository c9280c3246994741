import { byId, make, pairs } from '../page.ts';
import type { Answer } from './answers.ts';
import { type Host, join } from './host.ts';

/** The one page that all widgets have: a heading, a line that is read aloud, and what is shown. */

export { make, pairs };

/** Replaces what is shown. `focus` moves there after the person's own act; never at first, which would take it away. */
export function put(title: string, content: readonly Node[], { focus = false } = {}): void {
  const heading = byId('title', HTMLHeadingElement);
  heading.textContent = title;
  byId('content', HTMLElement).replaceChildren(...content);
  if (focus) heading.focus();
}

/** Says how it stands, on the page and to screen readers. */
export function say(text: string, kind: 'busy' | 'done' | 'error' | 'quiet' = 'quiet'): void {
  const status = byId('status', HTMLElement);
  status.textContent = text;
  status.className = kind;
  byId('content', HTMLElement).setAttribute('aria-busy', String(kind === 'busy'));
}

/** A button; while `act` runs it and its neighbours do nothing. */
export function button(text: string, act: () => Promise<void> | void, kind = ''): HTMLButtonElement {
  const made = make('button', { type: 'button', ...(kind === '' ? {} : { class: kind }) }, text);
  made.addEventListener('click', () => void whileDisabled(act));
  return made;
}

async function whileDisabled(act: () => Promise<void> | void): Promise<void> {
  const content = byId('content', HTMLElement);
  if (content.inert) return;
  content.inert = true;
  try {
    await act();
  } catch {
    say(
      'The clinic could not be reached. Nothing is known to have changed: look at your visits, or try again.',
      'error',
    );
  } finally {
    content.inert = false;
  }
}

/** What every widget says of an answer that is no success. Returns false for a success. */
export function saidFailure(answer: Answer): boolean {
  if (!answer.failed) return false;
  say(answer.signIn ? `${answer.text} Sign in again in the chat, then try once more.` : answer.text, 'error');
  return true;
}

/** Starts a widget on its page. */
export function start(name: string, show: (answer: Answer, host: Host) => void): void {
  const stopped = () => say('Stopped before there was an answer.', 'quiet');
  join({ name, show, stopped }).catch(() =>
    say('This page belongs inside an assistant that shows MCP Apps.', 'error'),
  );
}
