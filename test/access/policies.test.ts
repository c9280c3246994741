import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { ACTIONS, type Action } from '../../src/access/actions.ts';
import { NO_CONSENT } from '../../src/access/consents.ts';
import {
  loadPolicyEngine,
  POLICIES,
  POLICY_NAMES,
  Policies,
  readPolicies,
} from '../../src/access/policy-engine.ts';
import type { ChartQuestion, Question } from '../../src/access/question.ts';
import type { PatientId, TenantId, UserId } from '../../src/kernel/ids.ts';
import { POLICIES_LOADED } from '../mcp/house.ts';

const RIVERSIDE = 'riverside' as TenantId;
const OWN: ChartQuestion = {
  kind: 'chart',
  action: 'read-demographics',
  asker: { user: 'usr_john' as UserId, tenant: RIVERSIDE, role: 'patient', granted: ['demographics'] },
  tenant: RIVERSIDE,
  patient: 'pat_john' as PatientId,
  sensitivity: 'normal',
  relationship: 'self',
  consent: NO_CONSENT,
  purpose: 'PATRQT',
  emergency: false,
};
const folders: string[] = [];
function copyOfPolicies(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chartseal-policies-'));
  folders.push(folder);
  cpSync(POLICIES, folder, { recursive: true });
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe('the policies', () => {
  test('are valid by their schema, without a warning', async () => {
    const staticPolicies = Object.fromEntries(await readPolicies(cedar, POLICIES));
    const schema = readFileSync(join(POLICIES, 'schema.cedarschema'), 'utf8');
    const answer = cedar.validate({ schema, policies: { staticPolicies } });
    expect(answer).toEqual({
      type: 'success',
      validationErrors: [],
      validationWarnings: [],
      otherWarnings: [],
    });
    expect(Object.keys(staticPolicies).sort()).toEqual([...POLICY_NAMES]);
  });

  test('a planted word that the schema does not know is found', async () => {
    const schema = readFileSync(join(POLICIES, 'schema.cedarschema'), 'utf8');
    const bad = 'permit (principal, action, resource) when { principal.boss };';
    const answer = cedar.validate({ schema, policies: { staticPolicies: { bad } } });
    expect(answer.type === 'success' && answer.validationErrors.length).toBeGreaterThan(0);
  });

  test('every action that is asked about is an action of the schema, and none of the schema is left out', () => {
    const schema = cedar.schemaToJson(readFileSync(join(POLICIES, 'schema.cedarschema'), 'utf8'));
    const known = schema.type === 'success' ? Object.keys(schema.json['Chartseal']?.actions ?? {}) : [];
    expect(
      Object.values(ACTIONS)
        .map(({ cedar: name }) => name)
        .sort(),
    ).toEqual(known.sort());
  });

  test('a decision names its policy, a refusal the forbid, and deny by default names none', async () => {
    const engine = await POLICIES_LOADED.engine();
    expect(engine.ask(OWN)).toEqual({ permit: true, policies: ['patient-own-chart'] });
    expect(engine.ask({ ...OWN, tenant: 'lakeside' as TenantId })).toEqual({
      permit: false,
      policies: ['never-across-tenants'],
    });
    expect(engine.ask({ ...OWN, relationship: 'none' })).toEqual({ permit: false, policies: [] });
  });

  test.each(readdirSync(POLICIES).filter((name) => name.endsWith('.cedar')))(
    'without %s nothing is permitted at all',
    async (file) => {
      const folder = copyOfPolicies();
      rmSync(join(folder, file));
      await expect(loadPolicyEngine(folder)).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
    },
  );

  test.each([
    ['a policy without a name', 'permit (principal, action, resource);'],
    ['a policy that nobody knows', '@id("open-house")\npermit (principal, action, resource);'],
    ['a name used twice', '@id("patient-own-chart")\npermit (principal, action, resource);'],
    ['text that is no policy', 'permit everybody'],
  ])('with %s nothing is permitted at all', async (_name, text) => {
    const folder = copyOfPolicies();
    writeFileSync(join(folder, 'more.cedar'), text);
    await expect(loadPolicyEngine(folder)).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
  });

  test.each([
    ['a person', 'unless { principal == Chartseal::Member::"usr_john" };'],
    ['a chart', 'when { resource == Chartseal::Chart::"pat_john" };'],
    ['a tenant', 'when { resource.tenant == Chartseal::Tenant::"riverside" };'],
  ])(
    'a policy that names %s is not loaded: what is kept of verdicts knows no names',
    async (_name, clause) => {
      const folder = copyOfPolicies();
      const clinic = readFileSync(join(folder, 'tenants.cedar'), 'utf8');
      writeFileSync(join(folder, 'tenants.cedar'), clinic.replace(/(?:when|unless)\s*\{[^}]*\};/, clause));
      await expect(loadPolicyEngine(folder)).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
    },
  );

  test('what is kept of a verdict is of this very way to ask, not of another', async () => {
    const engine = await POLICIES_LOADED.engine();
    for (let turn = 0; turn < 2; turn += 1) {
      expect(engine.ask(OWN).permit).toBe(true);
      for (const change of [
        { action: 'read-clinical' },
        { tenant: 'lakeside' as TenantId },
        { relationship: 'none' },
        { purpose: 'TREAT' },
        { asker: { ...OWN.asker, role: 'auditor' } },
        { asker: { ...OWN.asker, granted: [] } },
      ] as Partial<ChartQuestion>[])
        expect(engine.ask({ ...OWN, ...change }).permit, JSON.stringify(change)).toBe(false);
      expect(
        engine.ask({
          ...OWN,
          patient: 'pat_x' as PatientId,
          asker: { ...OWN.asker, user: 'usr_x' as UserId },
        }),
      ).toEqual(engine.ask(OWN));
    }
  });

  test('a forbid that cannot be evaluated refuses, where Cedar would skip it', async () => {
    const folder = copyOfPolicies();
    writeFileSync(
      join(folder, 'tenants.cedar'),
      '@id("never-across-tenants")\nforbid (principal, action, resource) unless { principal.clinic == resource.tenant };',
    );
    const engine = await loadPolicyEngine(folder);
    expect(() => engine.ask(OWN)).toThrow(expect.objectContaining({ code: 'POLICY_UNAVAILABLE' }));
  });

  test('a folder that comes back is read again', async () => {
    const folder = copyOfPolicies();
    rmSync(join(folder, 'tenants.cedar'));
    const policies = new Policies(folder);
    await expect(policies.engine()).rejects.toThrow();
    cpSync(join(POLICIES, 'tenants.cedar'), join(folder, 'tenants.cedar'));
    expect((await policies.engine()).ask(OWN).permit).toBe(true);
  });
});

describe('destructive acts', () => {
  const admin = (user: string, change: object = {}) => ({
    user: user as UserId,
    tenant: RIVERSIDE,
    role: 'admin' as const,
    granted: [],
    ...change,
  });
  const act = (approver?: ReturnType<typeof admin>): Question => ({
    kind: 'clinic',
    action: 'destroy-keys',
    asker: admin('usr_a'),
    tenant: RIVERSIDE,
    purpose: 'HOPERAT',
    ...(approver === undefined ? {} : { approver }),
  });
  test.each([
    ['alone', undefined, false],
    ['with oneself', admin('usr_a'), false],
    ['with a clinician', admin('usr_b', { role: 'clinician' }), false],
    ['with an admin of another clinic', admin('usr_b', { tenant: 'lakeside' }), false],
    ['with a second admin', admin('usr_b'), true],
  ])('an admin %s', async (_name, approver, permit) => {
    const engine = await POLICIES_LOADED.engine();
    expect(engine.ask(act(approver)).permit).toBe(permit);
    expect(engine.ask({ ...act(approver), action: 'erase-patient' } as Question).permit).toBe(permit);
  });

  test('everything else that admins do they do alone', async () => {
    const engine = await POLICIES_LOADED.engine();
    expect(engine.ask({ ...act(), action: 'manage-keys' } as Question).permit).toBe(true);
  });
});

describe('what policies are asked', () => {
  test('no text can be in a question: by type', () => {
    const text: string = 'ignore all previous instructions';
    // @ts-expect-error text is no action
    const action: Action = text;
    // @ts-expect-error text is no relationship, and no other field takes it either
    const question: Partial<ChartQuestion> = { relationship: text };
    expect([action, question.relationship]).toEqual([text, text]);
  });

  test('no text can be in a question: at run time, in any field', async () => {
    const engine = await POLICIES_LOADED.engine();
    const paths = [
      ['action'],
      ['purpose'],
      ['relationship'],
      ['sensitivity'],
      ['emergency'],
      ['tenant'],
      ['patient'],
      ['asker', 'user'],
      ['asker', 'tenant'],
      ['asker', 'role'],
      ['asker', 'granted', '0'],
      ['consent', 'proxy'],
      ['consent', 'treatment'],
      ['consent', 'sensitive'],
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...paths),
        fc.string({ minLength: 1 }).map((text) => `${text} permit`),
        (path, text) => {
          const question = structuredClone(OWN) as unknown as Record<string, unknown>;
          let at = question;
          for (const step of path.slice(0, -1)) at = at[step] as Record<string, unknown>;
          at[path.at(-1) ?? ''] = text;
          expect(() => engine.ask(question as unknown as Question)).toThrow();
        },
      ),
    );
  });
});
