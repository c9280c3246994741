import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorizationRequest, connect, redeem, register } from '../../oauth/client.ts';
import { type Attacked, expectRefusedToken, startAttacked } from './house.ts';

let at: Attacked;
beforeAll(async () => {
  at = await startAttacked();
});
afterAll(() => at.close());

const granted = async () => {
  const request = authorizationRequest(at, at.clientId);
  return { request, code: await connect(at, request) };
};
const REFUSED = { status: 400, body: { error: 'invalid_grant' } };

describe('a stolen code', () => {
  test('used three times at once gives tokens once', async () => {
    const { request, code } = await granted();
    const answers = await Promise.all([1, 2, 3].map(() => redeem(at, request, code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    const tokens = answers.flatMap(({ body }) => body.access_token ?? []);
    expect(tokens).toHaveLength(1);
  });

  test('used after its owner ends the connection, and the first token with it', async () => {
    const { request, code } = await granted();
    const { body } = await redeem(at, request, code);
    expect(await redeem(at, request, code)).toMatchObject(REFUSED);
    await expectRefusedToken(await at.ask({ authorization: `Bearer ${body.access_token}` }));
  });

  const thefts: Readonly<Record<string, Record<string, string>>> = {
    'without the verifier': { code_verifier: '' },
    'with a verifier of its own': { code_verifier: 'v'.repeat(43) },
    'with the challenge as verifier': { code_verifier: 'CHALLENGE' },
    'with a verifier that is too short': { code_verifier: 'v' },
    'at another redirect': { redirect_uri: 'https://chatgpt.com/connector/oauth/other' },
  };
  test.each(Object.keys(thefts))('is worth nothing %s', async (name) => {
    const { request, code } = await granted();
    const challenge = request.url.searchParams.get('code_challenge') ?? '';
    const changes = Object.fromEntries(
      Object.entries(thefts[name] ?? {}).map(([key, value]) => [
        key,
        value === 'CHALLENGE' ? challenge : value,
      ]),
    );
    const answer = await at.unharmed([], () => redeem(at, request, code, changes));
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({
      error: expect.stringMatching(/^invalid_(?:grant|request|target)$/),
      error_description: expect.any(String),
    });
  });

  test('is spent, and worth nothing, for another resource', async () => {
    const { request, code } = await granted();
    const answer = await redeem(at, request, code, { resource: 'https://evil.example/mcp' });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
    expect(answer.body).not.toHaveProperty('access_token');
  });

  test('is worth nothing to another client', async () => {
    const other = String((await register(at)).body['client_id']);
    const { request, code } = await granted();
    const answer = await at.unharmed([], () => redeem(at, request, code, { client_id: other }));
    expect(answer).toMatchObject(REFUSED);
  });
});
