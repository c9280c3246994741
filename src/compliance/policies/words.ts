/** What the organisation must write itself: a mark that is easy to find. */
export const blank = (what: string): string => `**[fill in: ${what}]**`;

const UNITS = [
  ['year', 365.25 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** `7 years`, `35 days`, `5 minutes`: in the largest unit of which it is a whole number. */
export function duration(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms >= each && ms % each === 0) ?? ['ms', 1];
  const n = ms / size;
  return `${n} ${unit}${n === 1 || unit === 'ms' ? '' : 's'}`;
}

export const seconds = (s: number): string => duration(s * 1_000);

/** `a, b and c`. */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? 'none') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

/** A Markdown table. */
export const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** `AES-256-GCM` of Node's `aes-256-gcm`. */
export const cipherName = (name: string): string => name.toUpperCase();
