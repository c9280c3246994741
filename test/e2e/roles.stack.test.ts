import {
  Client as NewClient,
  StreamableHTTPClientTransport as NewTransport,
} from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { members } from '../../src/access/members.ts';
import { auditEvents } from '../../src/audit/append.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { oauthPerson } from '../../src/dev/demo/oauth-person.ts';
import { DEMO_PASSWORD } from '../../src/dev/people.ts';
import { startStack } from '../../src/dev/stack.ts';
import { ref } from '../../src/kernel/collection.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { describeOnBothStores } from '../stack/needs.ts';
import { codeOf, startTestStack, type TestStack } from './stack.ts';

const RIVERSIDE = 'riverside' as TenantId;
const CHATGPT = { 'user-agent': 'openai-mcp/1.0.0' };
const asking = (name: string, args: object) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } });

describeOnBothStores(
  (kind) => `each role by hand, on real ${kind}`,
  (kind) => {
    let at: TestStack;
    beforeAll(async () => {
      at = await startTestStack(startStack, { store: kind });
    }, 120_000);
    afterAll(async () => at?.close());
    const handleOf = async (user: string): Promise<string> => {
      const [row] = await at.stack.composed.store.tenant(RIVERSIDE).get(ref(members, user));
      return row?.patient ?? '';
    };
    const chartsOf = async (token: string) => {
      const me = await at.call(token, 'whoAmI');
      return (me.structuredContent?.['charts'] ?? []) as { patient: string; relationship: string }[];
    };
    const lastEventOf = async (user: string): Promise<AuditEvent | undefined> => {
      const rows = await at.stack.composed.store.tenant(RIVERSIDE).list(auditEvents, { limit: 1000 });
      const events = rows.map(({ row }) => JSON.parse(Buffer.from(row.leaf).toString('utf8')) as AuditEvent);
      return events
        .filter(({ actor, operation }) => actor.user === user && operation !== 'whoAmI')
        .sort((a, b) => (a.recorded < b.recorded ? -1 : 1))
        .at(-1);
    };
    const book = async (token: string, patient: string, date: string) => {
      const found = await at.call(token, 'findOpenSlots', {
        visitType: 'general-visit',
        from: date,
        patient,
      });
      const [slot] = (found.structuredContent?.['slots'] ?? []) as { slotId: string }[];
      return at.call(token, 'scheduleAppointment', { slotId: slot?.slotId, patient });
    };

    test('a parent finds the child by whoAmI, reads the child’s chart, and books for the child', async () => {
      const parent = await at.token('parent@example.com');
      const [child] = await chartsOf(parent);
      expect(child).toMatchObject({ relationship: 'proxy' });
      const patient = child?.patient ?? '';
      const read = await at.call(parent, 'getPatient', { sections: ['demographics', 'conditions'], patient });
      expect(JSON.stringify(read.structuredContent)).toMatch(/Leo.*Asthma/);
      expect(await lastEventOf('usr_parent')).toMatchObject({
        policy: 'proxy-acts-for',
        purposeOfUse: 'FAMRQT',
      });
      expect((await book(parent, patient, '2026-12-09')).structuredContent).toMatchObject({
        outcome: 'booked',
      });
    });

    test('a clinician reads the charts of those treated, and no other of the clinic', async () => {
      const clinician = await at.token('clinician@example.com');
      expect(await chartsOf(clinician)).toHaveLength(2);
      const treated = await at.call(clinician, 'getPatient', {
        sections: ['medications'],
        patient: await handleOf('usr_john'),
      });
      expect(JSON.stringify(treated.structuredContent)).toContain('Metformin');
      expect(await lastEventOf('usr_clinician')).toMatchObject({
        policy: 'clinician-care-team',
        purposeOfUse: 'TREAT',
      });
      const other = await at.call(clinician, 'getPatient', {
        sections: ['demographics'],
        patient: await handleOf('usr_ana'),
      });
      expect(codeOf(other)).toBe('NOT_FOUND');
    });

    test('the front desk sees whom it books for, books, and reads no clinical line', async () => {
      const desk = await at.token('frontdesk@example.com');
      const patient = await handleOf('usr_ana');
      const who = await at.call(desk, 'getPatient', { sections: ['demographics'], patient });
      expect(JSON.stringify(who.structuredContent)).toContain('Ruiz');
      const clinical = await at.call(desk, 'getPatient', { sections: ['conditions'], patient });
      expect(codeOf(clinical)).toBe('NOT_FOUND');
      expect((await book(desk, patient, '2026-12-10')).structuredContent).toMatchObject({
        outcome: 'booked',
      });
      expect(await lastEventOf('usr_frontdesk')).toMatchObject({
        policy: 'frontdesk-desk-work',
        purposeOfUse: 'HOPERAT',
      });
    });

    test('the other clinic’s people reach their own patients and nobody here', async () => {
      const clinician = await at.token('clinician@lakeside.example.com');
      const [mary] = await chartsOf(clinician);
      const own = await at.call(clinician, 'getPatient', {
        sections: ['demographics'],
        patient: mary?.patient,
      });
      expect(JSON.stringify(own.structuredContent)).toContain('Lake');
      const foreign = await at.call(clinician, 'getPatient', {
        sections: ['demographics'],
        patient: await handleOf('usr_john'),
      });
      expect(codeOf(foreign)).toBe('NOT_FOUND');
    });

    test('a missing scope is HTTP 403 with the challenge, and the same answer in-band', async () => {
      const narrow = await at.token('john@example.com', 'patient/Patient.rs');
      const request = asking('getPatient', { sections: ['demographics', 'medications'] });
      const answer = await at.post(request, narrow);
      expect(answer.status).toBe(403);
      const challenge = answer.headers.get('www-authenticate');
      expect(challenge).toMatch(
        /^Bearer resource_metadata="[^"]+", error="insufficient_scope", error_description="[^"]+", scope="patient\/Patient\.rs patient\/\*\.rs"$/,
      );
      expect(answer.json.result?._meta?.['mcp/www_authenticate']).toEqual([challenge]);
    });

    test('ChatGPT gets the challenge in-band alone, in a result that it shows', async () => {
      const narrow = await at.token('john@example.com', 'patient/Patient.rs');
      const answer = await at.post(
        asking('findOpenSlots', { visitType: 'general-visit', from: '2026-12-01' }),
        narrow,
        CHATGPT,
      );
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([200, null]);
      expect(answer.json.result?._meta?.['mcp/www_authenticate']).toEqual([
        expect.stringMatching(/error="insufficient_scope", error_description="[^"]+", scope=/),
      ]);
    });

    test('a call that needs no more scopes is a plain 200', async () => {
      const answer = await at.post(asking('whoAmI', {}), await at.token('john@example.com'));
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([200, null]);
    });

    /** A client that holds a narrow token, with John behind it; what it asks the browser to open is kept. */
    const narrowClient = async () => {
      const { provider, callback } = oauthPerson(
        {
          email: 'john@example.com',
          password: DEMO_PASSWORD,
          authEmulatorUrl: `http://${at.stack.env['FIREBASE_AUTH_EMULATOR_HOST'] ?? ''}`,
        },
        'Narrow client',
      );
      const asked: string[] = [];
      const narrow = { access_token: await at.token('john@example.com', 'patient/Patient.rs') };
      const open = provider.redirectToAuthorization.bind(provider);
      await provider.saveTokens({ ...narrow, token_type: 'Bearer' });
      provider.redirectToAuthorization = async (url) => {
        asked.push(url.searchParams.get('scope') ?? '');
        await open(url);
      };
      return { provider, callback, asked };
    };
    const UNION = ['patient/Patient.rs', 'patient/*.rs'];
    const MEDICATIONS = { name: 'getPatient', arguments: { sections: ['medications'] } };

    test('client 1.32 steps up by itself, asking for what it held and what lacks', async () => {
      const { provider, callback, asked } = await narrowClient();
      const open = () =>
        new OldTransport(new URL(`${at.stack.origin}/mcp`), { authProvider: provider as never });
      const transport = open();
      const client = new OldClient({ name: 'test', version: '1.0.0' });
      await client.connect(transport as never);
      await expect(client.callTool(MEDICATIONS)).rejects.toThrow(/unauthorized/i);
      expect(asked.map((scope) => scope.split(' '))).toEqual([UNION]);
      await transport.finishAuth(callback()?.get('code') ?? '');
      const answer = await client.callTool(MEDICATIONS);
      expect(JSON.stringify(answer)).toContain('Metformin');
      await client.close();
    });

    test('client 2.x steps up by itself, asking for what it held and what lacks', async () => {
      const { provider, callback, asked } = await narrowClient();
      const transport = new NewTransport(new URL(`${at.stack.origin}/mcp`), { authProvider: provider });
      const client = new NewClient(
        { name: 'test', version: '1.0.0' },
        { versionNegotiation: { mode: { pin: '2026-07-28' } } },
      );
      await client.connect(transport);
      await expect(client.callTool(MEDICATIONS)).rejects.toThrow(/unauthorized/i);
      expect(asked.map((scope) => scope.split(' '))).toEqual([[...UNION, 'offline_access']]);
      await transport.finishAuth(callback() ?? new URLSearchParams());
      const answer = await client.callTool(MEDICATIONS);
      expect(JSON.stringify(answer)).toContain('Metformin');
      await client.close();
    });
  },
);
