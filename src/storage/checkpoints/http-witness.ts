import { toBase64 } from '../../audit/bytes.ts';
import type { Witness } from '../../audit/checkpoints.ts';
import {
  formatNote,
  type NoteKey,
  type NoteSignature,
  parseNote,
  verifySignatures,
} from '../../audit/signed-note.ts';

const TIMEOUT_MS = 5_000;
const MAX_ANSWER = 16_384;

/**
 * A witness that speaks C2SP tlog-witness (https://c2sp.org/tlog-witness). Asked once for each checkpoint, for at most
 * 5 s; only a signature under its known key is taken.
 */
export function httpWitness(witness: { url: string; key: NoteKey }): Witness {
  return {
    cosign: async ({ oldSize, proof, note }) => {
      const request = `old ${oldSize}\n${proof.map((hash) => `${toBase64(hash)}\n`).join('')}\n`;
      const body = Buffer.concat([Buffer.from(request), formatNote(note)]);
      const answer = await post(`${witness.url}/add-checkpoint`, body);
      if (answer === null) return null;
      const lines = signaturesOf(note.text, answer);
      for (const line of lines) {
        const verified = await verifySignatures({ text: note.text, signatures: [line] }, [witness.key]);
        if (verified.length > 0) return line;
      }
      return null;
    },
  };
}

async function post(url: string, body: Buffer<ArrayBuffer>): Promise<string | null> {
  try {
    const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    return response.ok && text.length <= MAX_ANSWER ? text : null;
  } catch {
    return null;
  }
}

function signaturesOf(text: string, lines: string): readonly NoteSignature[] {
  try {
    return parseNote(Buffer.from(`${text}\n${lines}`)).signatures;
  } catch {
    return [];
  }
}
