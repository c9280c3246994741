import { beforeEach, describe, expect, test } from 'vitest';
import { codeOf, openClinic } from '../access/people.ts';
import { eventsOf, TENANT } from '../mcp/house.ts';

const NUMBER = '4111111111111111';

describe('a card number that is typed into the conversation', () => {
  let at: Awaited<ReturnType<typeof openClinic>>;
  beforeEach(async () => {
    at = await openClinic();
  });

  test.each([
    ['a reason', 'scheduleAppointment', { visitType: 'general-visit', reason: `pay with ${NUMBER}` }],
    [
      'a correction',
      'requestPrivacyAction',
      { kind: 'correction', words: 'card 4111 1111 1111 1111 is wrong' },
    ],
    ['lines', 'requestPrivacyAction', { kind: 'correction', words: '4111\n1111\n1111\n1111' }],
    ['an id', 'getRequestStatus', { requestId: NUMBER }],
  ])('in %s is refused, kept nowhere and repeated nowhere', async (_name, tool, args) => {
    const rowsBefore = (at.store.rows.get(TENANT)?.size ?? 0) + 2;
    const answer = await at.call('usr_john', tool, args);
    expect(codeOf(answer)).toBe('CARD_IN_CHAT');
    const said = JSON.stringify(answer);
    expect(said).toContain('/wallet');
    expect((await eventsOf(at.services)).at(-1)).toMatchObject({ outcome: '4', reason: 'CARD_IN_CHAT' });
    expect(at.store.rows.get(TENANT)?.size).toBe(rowsBefore);
    const everything = said + JSON.stringify(await eventsOf(at.services)) + JSON.stringify(at.journal);
    expect(everything.replaceAll(/\D/g, '')).not.toContain(NUMBER);
  });

  test('an unknown field that holds one is refused without a word of it', async () => {
    const answer = await at.call('usr_john', 'whoAmI', { [NUMBER]: NUMBER });
    expect(codeOf(answer)).toBe('INPUT');
    expect(JSON.stringify(answer)).not.toContain('4111');
  });
});
