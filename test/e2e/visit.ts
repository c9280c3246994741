import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectNewEra, connectOldEra } from '../../src/dev/demo/clients.ts';
import { DEMO_PASSWORD } from '../../src/dev/people.ts';
import { TOOLS as CATALOG } from '../../src/mcp/catalog.ts';
import { describeNeeding, type Need } from '../stack/needs.ts';
import { codeOf, type TestStack, textOf } from './stack.ts';

const ROOT = join(import.meta.dirname, '../..');
const TOOLS = CATALOG.map(({ name }) => name);

/** The same conversation on every arrangement; `name` says which parts it ran on. */
export function describeVisit(need: Need, name: string, start: () => Promise<TestStack>): void {
  describeNeeding(need, `a visit booked by chat on ${name}`, () => {
    let at: TestStack;
    let john: string;
    beforeAll(async () => {
      at = await start();
      john = await at.token('john@example.com');
    }, 180_000);
    afterAll(async () => at?.close());
    const person = () => ({
      email: 'john@example.com',
      password: DEMO_PASSWORD,
      authEmulatorUrl: `http://${at.stack.env['FIREBASE_AUTH_EMULATOR_HOST'] ?? ''}`,
    });
    const slotsOn = async (token: string, date: string) => {
      const found = await at.call(token, 'findOpenSlots', { visitType: 'diabetes-checkup', from: date });
      return found.structuredContent?.['slots'] as { slotId: string; weekday: string; date: string }[];
    };

    test('healthz names the store and the KMS, and needs no token', async () => {
      const response = await fetch(`${at.stack.origin}/healthz`);
      expect(await response.json()).toEqual({
        status: 'ok',
        store: at.stack.composed.store.kind,
        kms: 'emulator',
        version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      });
    });

    test('readyz says that store, KMS, keys and checkpoints are well, and nothing else', async () => {
      const ready = async () => {
        const answer = await fetch(`${at.stack.origin}/readyz`);
        return { code: answer.status, body: await answer.json() };
      };
      // The first checkpoint is signed some seconds after the start.
      await expect.poll(ready, { timeout: 30_000, interval: 1_000 }).toEqual({
        code: 200,
        body: {
          status: 'ready',
          parts: { store: 'ok', kms: 'ok', issuerKeys: 'ok', checkpoint: 'ok' },
        },
      });
    });

    test('the protected-resource metadata is at both addresses and names the MCP address', async () => {
      for (const path of [
        '/.well-known/oauth-protected-resource',
        '/.well-known/oauth-protected-resource/mcp',
      ]) {
        const metadata = (await (await fetch(at.stack.origin + path)).json()) as Record<string, unknown>;
        expect(metadata['resource']).toBe(`${at.stack.origin}/mcp`);
        expect(metadata['authorization_servers']).toEqual([at.stack.origin]);
      }
    });

    test('without a token the answer is 401 with the challenge, and GET is a clean 405', async () => {
      const refused = await at.post('{}');
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toContain(
        `resource_metadata="${at.stack.origin}/.well-known/oauth-protected-resource/mcp"`,
      );
      const got = await fetch(`${at.stack.origin}/mcp`);
      expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
    });

    test.each([
      ['@modelcontextprotocol/sdk 1.32', connectOldEra],
      ['@modelcontextprotocol/client 2.x', connectNewEra],
    ])('%s gets from nothing but the address to a tool result', async (_name, connect) => {
      const client = await connect(new URL(`${at.stack.origin}/mcp`), person());
      expect((await client.listTools()).map((tool) => tool.name)).toEqual(TOOLS);
      const answer = await client.call('whoAmI', {});
      expect(answer.structuredContent).toMatchObject({ role: 'patient', hasOwnChart: true });
      await client.close();
    });

    test('answers are JSON in one piece, not an event stream', async () => {
      const answer = await at.post('{"jsonrpc":"2.0","id":1,"method":"tools/list"}', john);
      expect(answer.headers.get('content-type')).toContain('application/json');
    });

    test('mcp-inspector --strict lists the tools without complaint', async () => {
      const inspector = join(ROOT, 'node_modules/.bin/mcp-inspector');
      const args = [
        '--cli',
        `${at.stack.origin}/mcp`,
        '--transport',
        'http',
        '--header',
        `Authorization: Bearer ${john}`,
        '--method',
        'tools/list',
        '--strict',
      ];
      const { stdout, stderr } = await promisify(execFile)(inspector, args, { timeout: 60_000 });
      for (const tool of TOOLS) expect(stdout).toContain(`"${tool}"`);
      expect(stderr).toBe('');
    });

    test('a patient reads the own chart and nothing beyond the sections asked for', async () => {
      const read = await at.call(john, 'getPatient', { sections: ['medications'] });
      expect(Object.keys(read.structuredContent ?? {})).toEqual(['medications']);
      expect(JSON.stringify(read)).toContain('Metformin');
      expect(JSON.stringify(read)).not.toContain('999-45-6120');
    });

    test('everybody else, and every other handle, is refused in the same words', async () => {
      const ana = await at.token('ana.ruiz@example.com');
      const mary = await at.token('mary@example.com');
      const own = await johnsHandle(at);
      const others = [
        'parent@example.com',
        'clinician@lakeside.example.com',
        'frontdesk@lakeside.example.com',
      ];
      const tokens: string[] = [];
      for (const email of others) tokens.push(await at.token(email));
      const attempts = await Promise.all([
        at.call(ana, 'getPatient', { sections: ['demographics'], patient: own }),
        at.call(mary, 'getPatient', { sections: ['demographics'], patient: own }),
        at.call(john, 'getPatient', { sections: ['demographics'], patient: 'pat_doesnotexist00000000000' }),
        ...tokens.map((token) => at.call(token, 'getPatient', { sections: ['demographics'], patient: own })),
      ]);
      for (const refused of attempts) expect(refused).toEqual(attempts[0]);
      expect(codeOf(attempts[0] as never)).toBe('NOT_FOUND');
      for (const nobody of ['auditor@example.com', 'admin@example.com'])
        await expect(at.token(nobody)).rejects.toThrow();
      const foreign = await at.call(ana, 'scheduleAppointment', { visitType: 'general-visit', patient: own });
      expect(textOf(foreign)).toMatch(/^Not booked\. Nothing was changed\./);
    });

    test('a slot is booked once; the same request again gives the same answer; a rival is offered others', async () => {
      const [slot] = await slotsOn(john, '2026-12-08');
      const first = await at.call(john, 'scheduleAppointment', {
        slotId: slot?.slotId,
        reason: 'thirsty all day',
      });
      expect(first.structuredContent).toMatchObject({
        outcome: 'booked',
        appointment: { weekday: 'Tuesday', date: '2026-12-08', zone: 'America/New_York' },
      });
      const again = await at.call(john, 'scheduleAppointment', {
        slotId: slot?.slotId,
        reason: 'thirsty all day',
      });
      expect(again.structuredContent).toEqual(first.structuredContent);
      const rival = await at.call(await at.token('john@example.com'), 'scheduleAppointment', {
        slotId: slot?.slotId,
      });
      expect(rival.structuredContent).toMatchObject({ outcome: 'choose' });
      expect(rival.structuredContent).not.toHaveProperty('appointment');
    });

    test('another body under the same slotId is a conflict', async () => {
      const [slot] = await slotsOn(john, '2026-12-15');
      await at.call(john, 'scheduleAppointment', { slotId: slot?.slotId, reason: 'one' });
      const other = await at.call(john, 'scheduleAppointment', { slotId: slot?.slotId, reason: 'two' });
      expect(codeOf(other)).toBe('REQUEST_CONFLICT');
    });

    test('a slotId shown to one person does not work for another', async () => {
      const [slot] = await slotsOn(john, '2026-12-22');
      const ana = await at.token('ana.ruiz@example.com');
      expect(codeOf(await at.call(ana, 'scheduleAppointment', { slotId: slot?.slotId }))).toBe(
        'SLOT_INVALID',
      );
    });

    test('a narrow token is asked to step up, naming all that lacks', async () => {
      const narrow = await at.token('john@example.com', 'patient/Patient.rs');
      const refused = await at.call(narrow, 'findOpenSlots', {
        visitType: 'diabetes-checkup',
        from: '2026-12-01',
      });
      expect(codeOf(refused)).toBe('SCOPE_MISSING');
      expect(refused._meta?.['mcp/www_authenticate']).toEqual([
        expect.stringMatching(
          /error="insufficient_scope".*scope="patient\/Patient\.rs patient\/Appointment\.crus"/,
        ),
      ]);
    });
  });
}

/** The handle, as an operator would find it; no tool tells it. */
async function johnsHandle(at: TestStack): Promise<string> {
  const { members } = await import('../../src/access/members.ts');
  const { ref } = await import('../../src/kernel/collection.ts');
  const [row] = await at.stack.composed.store.tenant('riverside' as never).get(ref(members, 'usr_john'));
  return row?.patient ?? '';
}
