import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { members } from '../../src/access/members.ts';
import { startStack } from '../../src/dev/stack.ts';
import { ref } from '../../src/kernel/collection.ts';
import type { PatientId, TenantId } from '../../src/kernel/ids.ts';
import { privacyRequests } from '../../src/lifecycle/requests/request.ts';
import { startTestStack, type TestStack } from '../e2e/stack.ts';
import { run } from './run.ts';

const RIVERSIDE = 'riverside' as TenantId;
const TWO = ['--by', 'usr_admin', '--approver', 'usr_second_admin'];

describe('a patient’s export and erasure by the operator, on the local stack', () => {
  let at: TestStack;
  let ana: string;
  beforeAll(async () => {
    at = await startTestStack(startStack, { store: 'postgres' });
    const [row] = await at.stack.composed.store.tenant(RIVERSIDE).get(ref(members, 'usr_ana'));
    ana = row?.patient ?? '';
  }, 120_000);
  afterAll(async () => at?.close());
  const chartseal = (...args: string[]) => run(at.dataDir, [...args, '--json']);

  test('export writes the record and its documents for the operator alone; another instance imports the same', async () => {
    const bytes = (async function* () {
      yield Buffer.from('%PDF-1.7 a letter');
    })();
    const { id } = await at.stack.composed.documents.add(
      { tenant: RIVERSIDE, patient: ana as PatientId },
      { title: 'A letter', kind: 'letter', addedBy: 'patient', bytes },
      () => ({
        ...{ action: 'C', operation: 'test', outcome: '0', purposeOfUse: 'PATRQT', policy: 'test' },
        actor: { user: 'usr_ana', role: 'patient', client: 'test' },
      }),
    );
    const folder = join(at.dataDir, 'out');
    const { code, out, err } = await chartseal('patient', 'export', ana, '--out', folder);
    expect(code, err).toBe(0);
    expect((JSON.parse(out) as { files: string[][] }).files.map(([name]) => name)).toEqual([
      'record.html',
      'record.fhir.json',
      'access-report.csv',
      `documents/${id}.pdf`,
    ]);
    for (const name of ['record.html', 'record.fhir.json', 'access-report.csv', `documents/${id}.pdf`])
      expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
    expect(readFileSync(join(folder, 'record.html'), 'utf8')).toContain('Health record of Ana Lucía Ruiz');
    const again = await chartseal(
      'patient',
      'import',
      join(folder, 'record.fhir.json'),
      '--tenant',
      'lakeside',
    );
    expect(again.code, again.err).toBe(0);
    expect((JSON.parse(again.out) as { imported: object }).imported).toMatchObject({
      Patient: 1,
      Condition: 1,
    });
    const { patient, documents } = JSON.parse(again.out) as { patient: PatientId; documents: number };
    const [there] = await at.stack.composed.documents.list({ tenant: 'lakeside' as TenantId, patient });
    expect([documents, there]).toEqual([
      1,
      expect.objectContaining({ title: 'A letter', kind: 'letter', type: 'application/pdf', size: 17 }),
    ]);
    expect((await chartseal('patient', 'export', 'pat_AAAAAAAAAAAAAAAAAAAAAA')).code).toBe(1);
  }, 60_000);

  test('erase refuses one person, a slip, and a legal hold, each with nothing changed', async () => {
    const twice = ['--by', 'usr_admin', '--approver', 'usr_admin'];
    expect((await chartseal('patient', 'erase', ana, ...TWO, '--confirm', 'ana')).code).toBe(2);
    expect((await chartseal('patient', 'erase', ana, ...twice, '--confirm', ana)).code).toBe(1);
    expect((await chartseal('patient', 'hold', ana, '--by', 'usr_admin')).code).toBe(0);
    const held = await chartseal('patient', 'erase', ana, ...TWO, '--confirm', ana);
    expect([held.code, JSON.parse(held.out)]).toEqual([1, { refused: 'legal-hold' }]);
    expect((await chartseal('patient', 'hold', ana, '--by', 'usr_admin', '--release')).code).toBe(0);
    expect(await at.stack.composed.store.tenant(RIVERSIDE).list(privacyRequests, { limit: 10 })).toEqual([]);
  }, 60_000);

  test('erase orders, makes the export, waits, and after the cooling-off gives the receipt', async () => {
    const order = ['patient', 'erase', ana, ...TWO, '--confirm', ana];
    const first = await chartseal(...order);
    expect(first.code, first.err).toBe(0);
    const ordered = JSON.parse(first.out) as { request: string; state: string; receipt: null };
    expect(ordered).toMatchObject({ state: 'cooling', receipt: null });
    const store = at.stack.composed.store.tenant(RIVERSIDE);
    // Nobody waits a week here: the cooling-off is made to have begun a week ago.
    await store.transact(async (tx) => {
      const [row] = await tx.get(ref(privacyRequests, ordered.request));
      if (row !== null) tx.put(ref(privacyRequests, ordered.request), { ...row, until: Date.now() - 1 });
    });
    const second = await chartseal(...order);
    expect(second.code, second.err).toBe(0);
    expect(JSON.parse(second.out)).toMatchObject({
      request: ordered.request,
      state: 'done',
      receipt: { outside: true, logicalAt: expect.any(Number), finalAt: expect.any(Number) },
    });
    expect((await chartseal('patient', 'export', ana)).code).toBe(1);
    const report = await chartseal('audit', 'report', 'erasures');
    expect((JSON.parse(report.out) as { rows: string[][] }).rows).toHaveLength(1);
    expect((await at.token('ana.ruiz@example.com').catch(() => 'no account')).length).toBe(
      'no account'.length,
    );
  }, 120_000);
});
