/** The longest title, in characters as JavaScript counts them. */
export const MAX_TITLE = 120;

/** What could turn a name around, hide a part of it, or act as anything but letters: controls, formats, separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** One line of text to be shown, from what somebody typed or called a file. Empty when nothing is left of it. */
export function displayText(typed: string): string {
  const line = typed.normalize('NFC').replace(UNSEEN, ' ').replace(/\s+/g, ' ').trim();
  return [...line]
    .reduce((kept, letter) => (kept.length + letter.length > MAX_TITLE ? kept : kept + letter), '')
    .trim();
}

/** The last part of a file's name without its ending: a title when none is given. Never a path. */
export const titleOfFile = (name: string): string =>
  displayText((name.split(/[/\\]/).at(-1) ?? '').replace(/\.[A-Za-z0-9]{1,8}$/, ''));

/** A name under which a document is saved: letters of any script, digits, and our own ending. */
export function fileNameOf(title: string, ending: string): string {
  const safe = title.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '');
  return `${safe === '' ? 'document' : safe}.${ending}`;
}
