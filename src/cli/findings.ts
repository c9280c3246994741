import type { Judgement } from '../dev/doctor/check.ts';
import { dim, green, red } from './terminal.ts';

/** A judged check as a line for people, its reasons aligned with those of the others; a fault with its cure and its id. */
export function findingLines(
  findings: readonly (Judgement & { readonly id: string; readonly title: string; readonly cure: string })[],
): string[] {
  const width = Math.max(...findings.map(({ title }) => title.length));
  return findings.map(({ id, title, outcome, reason, cure }) => {
    if (outcome === 'pass') return `  ${green('✓')} ${title.padEnd(width)}  ${dim(reason)}`;
    if (outcome === 'not checked') return `  ${dim(`· ${title.padEnd(width)}  not checked: ${reason}`)}`;
    return `  ${red('✗')} ${title.padEnd(width)}  ${reason}. ${cure} (${id})`;
  });
}
