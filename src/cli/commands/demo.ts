import { type Command, EXIT } from '../command.ts';

export const demo: Command = { usage: '', summary: 'x', options: {}, run: async () => EXIT.ok };
