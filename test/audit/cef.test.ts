import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AuditEvent } from '../../src/audit/event.ts';
import { cefLine } from '../../src/audit/export/cef.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { VERSION } from '../../src/kernel/version.ts';
import { anEntry } from './log-house.ts';

const event = (change: Partial<AuditEvent> = {}): AuditEvent => ({
  ...anEntry(),
  id: 'ev_1',
  tenant: 't' as TenantId,
  recorded: '2026-11-24T14:00:00.000Z',
  actor: { user: 'usr_1', role: 'clinician', client: 'c' },
  writer: { boot: 'wr_1', count: 1, confirmed: [], abandoned: [] },
  ...change,
});

test('an event is one line of CEF, with the id by which it can be proven', () => {
  expect(cefLine(event(), 7)).toBe(
    `CEF:0|Chartseal|Chartseal|${VERSION}|getPatient|getPatient|2|rt=1795528800000 externalId=ev_1 suser=usr_1 spriv=clinician ` +
      'requestClientApplication=c act=R outcome=success duid=pa_1 fileType=Patient cs1Label=purposeOfUse cs1=TREAT ' +
      'cs2Label=policy cs2=care-team cs3Label=fields cs3=demographics.name cs4Label=tenant cs4=t cn1Label=index cn1=7',
  );
});

test('what was refused, what failed and what was an emergency weigh more', () => {
  const severityOf = (change: Partial<AuditEvent>): string | undefined =>
    cefLine(event(change), null).split('|')[6];
  expect(
    [{}, { outcome: '4' }, { outcome: '8' }, { purposeOfUse: 'ETREAT' }].map((one) =>
      severityOf(one as never),
    ),
  ).toEqual(['2', '5', '6', '8']);
});

test('no text breaks out of its field, its header or its line', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (client, operation) => {
      const line = cefLine(event({ operation, actor: { user: 'u', role: 'r', client } }), 0);
      expect(line).not.toMatch(/[\r\n\u2028\u2029]/);
      expect(line.split(/(?<!\\)(?:\\\\)*\|/).length).toBeGreaterThanOrEqual(8);
      const extension = line.slice(line.indexOf('rt='));
      const names = [...extension.matchAll(/(?:^| )(\w+)(?<!\\)=/g)].map(([, name]) => name);
      expect(new Set(names)).toContain('suser');
      expect(names.filter((name) => name === 'suser')).toHaveLength(1);
    }),
  );
});
