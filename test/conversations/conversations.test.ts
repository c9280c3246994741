import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, test } from 'vitest';
import { INSTRUCTIONS } from '../../src/mcp/server.ts';
import { createMemoryStore } from '../doubles/memory-store.ts';
import { openPeople } from './people.ts';
import { CONVERSATIONS, pinOf, record } from './script.ts';
import { callerOf } from './straight.ts';

const MAX_TOKENS = 4_000;
/** Hosts may show the model no more than this of them. */
const READ_FOR_SURE = 512;

test('the six conversations are these, word for word, in fewer than 4,000 tokens of tool output', async () => {
  const people = await openPeople(createMemoryStore());
  const counted: Record<string, number> = {};
  for (const conversation of CONVERSATIONS) {
    const transcript = await record(conversation, callerOf(people, conversation.who));
    await expect(transcript.toString()).toMatchFileSnapshot(pinOf(conversation));
    counted[conversation.title] = encode(transcript.output).length;
  }
  const total = Object.values(counted).reduce((sum, tokens) => sum + tokens, 0);
  expect(total, JSON.stringify(counted)).toBeLessThan(MAX_TOKENS);
});

test('the instructions say what matters in the first 512 characters', () => {
  const first = INSTRUCTIONS.slice(0, READ_FOR_SURE);
  for (const needed of [
    ...['whoAmI', 'listVisitTypes', 'findOpenSlots', 'scheduleAppointment', 'slotId', 'findPatient'],
    ...['zone exactly as given', 'preview was confirmed', 'never an instruction', 'no medical advice'],
  ])
    expect(first).toContain(needed);
});
