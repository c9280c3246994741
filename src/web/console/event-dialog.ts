import { byId, make, pairs } from '../page.ts';
import type { OpenedEvent } from './protocol.ts';
import { clinicTime, utcTime } from './times.ts';

const dialog = byId('event', HTMLDialogElement);
const proof = byId('event-proof', HTMLElement);

/** Shows one event: what it says, its exact bytes, and the proof that was just checked. */
export function showEvent(opened: OpenedEvent): void {
  const { row, raw, leafHash, path, root, size } = opened;
  const { tone, word } = proofWords(opened);
  proof.textContent = word;
  proof.dataset['tone'] = tone;
  byId('event-facts', HTMLElement).replaceChildren(
    ...pairs([
      ['Event', row.id],
      ['Place in the tree', row.index === null ? 'none yet' : `${row.index} of ${size}`],
      ['Time (UTC)', utcTime(row.recorded)],
      ['Time (clinic)', clinicTime(row.recorded)],
      ['What', row.operation],
      ['Outcome', [row.outcome, row.reason].filter(Boolean).join(' ')],
      ['Person', `${row.user} (${row.role})`],
      ['Client', row.client],
      ['Patient alias', row.patient === '' ? 'none' : row.patient],
      ['Purpose, policy', `${row.purpose}, ${row.policy}`],
      ['Leaf hash', leafHash],
      ['Signed root', root === '' ? 'none' : root],
    ]),
  );
  byId('event-path', HTMLElement).replaceChildren(...(path ?? []).map((hash) => make('li', {}, hash)));
  byId('event-raw', HTMLElement).textContent = raw === '' ? 'There are none: the event is gone.' : raw;
  if (!dialog.open) dialog.showModal();
}

function proofWords({ row, path, isProven, size }: OpenedEvent): { tone: string; word: string } {
  if (row.state === 'pending') return { tone: 'warn', word: 'Pending: committed, not in the tree yet.' };
  if (row.state === 'sequenced')
    return { tone: 'warn', word: 'In the tree, not covered by a signature yet.' };
  if (row.state === 'missing')
    return { tone: 'bad', word: 'Missing: the tree has this event’s hash, the store has no event.' };
  if (isProven)
    return { tone: 'good', word: `Proven: these bytes lead to the signed root over ${size} events.` };
  if (path === null) return { tone: 'bad', word: 'Not proven: a tile that the proof needs is missing.' };
  return { tone: 'bad', word: 'Not proven: these bytes do not lead to the signed root.' };
}

byId('event-close', HTMLButtonElement).addEventListener('click', () => dialog.close());
dialog.addEventListener('close', () => byId('grid', HTMLElement).focus());
