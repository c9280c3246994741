import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { chartValues } from '../../src/crypto/open-chart.ts';
import { startStack } from '../../src/dev/stack.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { describeOnBothStores } from '../stack/needs.ts';
import { codeOf, startTestStack, type TestStack, textOf } from './stack.ts';

const RIVERSIDE = 'riverside' as TenantId;
const rpc = (method: string, params: object = {}) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });

describeOnBothStores(
  (kind) => `what is refused, on real ${kind} with the KMS emulator`,
  (kind) => {
    let at: TestStack;
    let john: string;
    beforeAll(async () => {
      at = await startTestStack(startStack, { store: kind });
      john = await at.token('john@example.com');
    }, 120_000);
    afterAll(async () => at?.close());
    const kms = (method: string, body?: object) =>
      fetch(`${at.stack.env['CHARTSEAL_KMS_ENDPOINT'] ?? ''}/_admin/faults`, {
        method,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
    const coldKeys = () => at.stack.composed.keys.flush(RIVERSIDE);
    const appointments = async () => {
      const rows = await at.stack.composed.store.tenant(RIVERSIDE).list(chartValues, { limit: 1000 });
      return rows.filter(({ row }) => row.collection === 'appointments').length;
    };
    afterEach(async () => kms('DELETE'));

    test.each([
      ['no JSON', '{"jsonrpc":', 400, 'BODY_NOT_JSON'],
      ['a body over 1 MiB', rpc('tools/call', { pad: 'x'.repeat(1_048_576) }), 413, 'BODY_TOO_LARGE'],
    ])('%s is refused with a code of its own', async (_name, body, status, code) => {
      const answer = await at.post(body, john);
      expect(answer.status).toBe(status);
      expect(answer.json.error?.data?.code).toBe(code);
    });

    test.each([
      ['JSON that is no JSON-RPC', '{"hello":"world"}'],
      ['a batch of nothing', '[]'],
      ['a number', '42'],
      ['another version', '{"jsonrpc":"1.0","id":1,"method":"tools/list"}'],
    ])('%s is a JSON-RPC error without a stack', async (_name, body) => {
      const answer = await at.post(body, john);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.json.error?.code).toBeLessThan(0);
      expect(answer.text).not.toMatch(/\.ts|\.mjs|node_modules| at /);
    });

    test('an unknown method and an unknown tool are JSON-RPC errors', async () => {
      expect((await at.post(rpc('tools/destroy'), john)).json.error?.code).toBe(-32601);
      const tool = await at.post(rpc('tools/call', { name: 'readEveryChart', arguments: {} }), john);
      expect(tool.json.error).toMatchObject({ code: -32602 });
      expect(tool.text).not.toContain('readEveryChart');
    });

    test('KMS down: a clear retryable error, nothing released, and the chart opens again afterwards', async () => {
      coldKeys();
      await kms('PUT', { outage: true });
      const refused = await at.call(john, 'getPatient', { sections: ['demographics'] });
      expect(refused._meta?.['chartseal/error']).toEqual({ code: 'KMS_UNAVAILABLE', retryable: true });
      expect(textOf(refused)).toMatch(/^Nothing was read\. KMS did not answer/);
      await kms('DELETE');
      expect((await at.call(john, 'getPatient', { sections: ['demographics'] })).isError).toBeUndefined();
    });

    test('KMS throttled is told apart from KMS down', async () => {
      coldKeys();
      await kms('PUT', { throttleRate: 1 });
      expect(codeOf(await at.call(john, 'getPatient', { sections: ['demographics'] }))).toBe('KMS_THROTTLED');
    });

    test('KMS down while booking: not booked, nothing written, the same slot books afterwards', async () => {
      const found = await at.call(john, 'findOpenSlots', {
        visitType: 'diabetes-checkup',
        from: '2027-01-12',
      });
      const [slot] = (found.structuredContent?.['slots'] ?? []) as { slotId: string }[];
      const before = await appointments();
      coldKeys();
      await kms('PUT', { outage: true });
      const refused = await at.call(john, 'scheduleAppointment', { slotId: slot?.slotId });
      expect(textOf(refused)).toMatch(/^Not booked\. Nothing was changed\./);
      expect(await appointments()).toBe(before);
      await kms('DELETE');
      const booked = await at.call(john, 'scheduleAppointment', { slotId: slot?.slotId });
      expect(booked.structuredContent).toMatchObject({ outcome: 'booked' });
      expect(await appointments()).toBe(before + 1);
    });

    test('50 parallel bookings of one slot by 50 clients give one booking; 50 of one client, one answer', async () => {
      const { bookings, slotTokens, audit } = at.stack.composed.services;
      const { members } = await import('../../src/access/members.ts');
      const { ref } = await import('../../src/kernel/collection.ts');
      const [row] = await at.stack.composed.store.tenant(RIVERSIDE).get(ref(members, 'usr_john'));
      const of = { tenant: RIVERSIDE, patient: row?.patient as never };
      const holder = { ...of, user: 'usr_john' as never };
      const start = Date.parse('2027-02-02T09:00:00-05:00');
      const slot = { visitType: 'diabetes-checkup', practitioner: 'dr-chen', start, end: start + 1_800_000 };
      const now = Date.now();
      const slotId = await slotTokens.issue(slot, holder, now);
      const before = await appointments();
      const book = async (client: string) => {
        const draft = audit.draft(RIVERSIDE);
        const entry = {
          action: 'C',
          operation: 'scheduleAppointment',
          outcome: '0',
          actor: { user: 'usr_john', role: 'patient', client },
          purposeOfUse: 'PATRQT',
          policy: 'patient-own-chart',
        } as const;
        const result = await bookings
          .book({
            of,
            user: holder.user,
            by: 'patient',
            client,
            slotId,
            slot,
            reason: null,
            now,
            audit: { draft, write: (tx) => draft.write(tx, entry) },
          })
          .catch((error: { code: string }) => ({ outcome: error.code }));
        if (result.outcome === 'done') draft.confirm();
        else draft.abandon();
        return result;
      };
      const rivals = await Promise.all(Array.from({ length: 50 }, (_, index) => book(`client-${index}`)));
      expect(rivals.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
      expect(rivals.filter(({ outcome }) => outcome === 'taken')).toHaveLength(49);
      const winner = rivals.findIndex(({ outcome }) => outcome === 'done');
      const repeats = await Promise.all(Array.from({ length: 10 }, () => book(`client-${winner}`)));
      for (const { outcome } of repeats) expect(outcome).toBe('repeated');
      expect(await appointments()).toBe(before + 1);
    }, 120_000);
  },
);
