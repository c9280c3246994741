import { randomBytes } from 'node:crypto';
import { type Command, EXIT } from '../command.ts';
import { out } from '../terminal.ts';

/** A fresh AES-256 key for CHARTSEAL_LOCAL_KEYS. It is printed once and kept nowhere. */
export const keysGenerate: Command = {
  usage: '',
  summary: 'print a fresh 64-hex wrapping key for those without AWS KMS',
  options: {},
  run: async ({ json }) => {
    const hex = randomBytes(32).toString('hex');
    out(json ? JSON.stringify({ key: hex, setting: `1:${hex}:active` }) : hex);
    return EXIT.ok;
  },
};
