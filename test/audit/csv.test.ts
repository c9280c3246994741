import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AuditEvent } from '../../src/audit/event.ts';
import { csvHeader, csvLine } from '../../src/audit/export/csv.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { anEntry } from './log-house.ts';

const event = (client: string): AuditEvent => ({
  ...anEntry(),
  id: 'ev_1',
  tenant: 't' as TenantId,
  recorded: '2026-11-24T14:00:00.000Z',
  actor: { user: 'usr_1', role: 'clinician', client },
  writer: { boot: 'wr_1', count: 1, confirmed: [], abandoned: [] },
});

test('a line has the columns of the header', () => {
  expect(csvHeader().split(',')).toHaveLength(18);
  expect(csvLine(event('c'), 7)).toBe(
    '"7","2026-11-24T14:00:00.000Z","ev_1","getPatient","R","0","","usr_1","clinician","c","pa_1","Patient","","demographics.name","","","TREAT","care-team"',
  );
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '  =cmd|x', '\r=1', '\uFF1D1', '|x', '%x'])(
  'a spreadsheet takes %j for text',
  (client) => {
    expect(csvLine(event(client), 0)).toContain(`,"'${client}",`);
  },
);

test('no text breaks out of its cell', () => {
  fc.assert(
    fc.property(fc.string(), (client) => {
      const line = csvLine(event(client), 0);
      expect(line).toMatch(/^"(?:[^"]|"")*"(?:,"(?:[^"]|"")*"){17}$/);
    }),
  );
});
