import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect } from 'vitest';
import { OWN_ISSUER } from '../../../src/access/token-profile.ts';
import { auditEvents } from '../../../src/audit/append.ts';
import type { AuditEvent } from '../../../src/audit/event.ts';
import { importPatient } from '../../../src/clinic/import-patient.ts';
import { setUpClinic } from '../../../src/clinic/tenants.ts';
import { localKeyId } from '../../../src/crypto/local-keyring.ts';
import { DEMO_CLINICS } from '../../../src/dev/clinics.ts';
import { createMcpEndpoint } from '../../../src/http/mcp-endpoint.ts';
import type { TenantId, UserId } from '../../../src/kernel/ids.ts';
import { TOOLS } from '../../../src/mcp/catalog.ts';
import { openClinic } from '../../access/people.ts';
import { putMember } from '../../doubles/members.ts';

export const LAKESIDE = 'lakeside' as TenantId;
const MARY = readFileSync(join(import.meta.dirname, '../../../emulator-data/mary-lake.json'), 'utf8');
const ALL_SCOPES = [
  'patient/Patient.rs patient/*.rs patient/Appointment.crus',
  'user/Patient.rs user/*.rs user/Appointment.crus',
].join(' ');

/** What came back over HTTP. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: {
    readonly jsonrpc?: string;
    readonly id?: number;
    readonly result?: {
      readonly isError?: boolean;
      readonly content: readonly { readonly type: string; readonly text: string }[];
      readonly structuredContent?: Record<string, unknown>;
      readonly _meta?: Record<string, unknown>;
    };
    readonly error?: unknown;
  };
}

/** A call and what it left in the store: rows that are new or changed, by collection, and its events. */
export interface Attack {
  readonly answer: Answer;
  readonly written: readonly string[];
  readonly events: readonly AuditEvent[];
}

/** Arguments with which each tool that is about a chart would be about this one. */
export const CHART_TOOLS: Readonly<Record<string, (patient: string) => Record<string, unknown>>> = {
  getPatient: (patient) => ({ sections: ['demographics', 'conditions'], patient }),
  listMedications: (patient) => ({ patient }),
  getChartSummary: (patient) => ({ appointmentId: 'apt_x', patient }),
  listAppointments: (patient) => ({ patient }),
  findOpenSlots: (patient) => ({ visitType: 'general-visit', from: '2026-12-01', patient }),
  scheduleAppointment: (patient) => ({ visitType: 'general-visit', patient }),
  rescheduleAppointment: (patient) => ({ appointmentId: 'apt_x', patient }),
  cancelAppointment: (patient) => ({ appointmentId: 'apt_x', patient }),
  setAppointmentStatus: (patient) => ({ appointmentId: 'apt_x', status: 'arrived', patient }),
  joinWaitlist: (patient) => ({ visitType: 'general-visit', patient }),
  listChartAccess: (patient) => ({ patient }),
  requestPrivacyAction: (patient) => ({ kind: 'erasure', patient }),
  getRequestStatus: (patient) => ({ patient }),
};

/** Two clinics on one store behind the real MCP address, and tokens for anybody. */
export async function openHouse(options: Parameters<typeof openClinic>[0] = {}) {
  const clinic = await openClinic(options);
  const { services, store } = clinic;
  const mary = await openLakeside(clinic);
  const pair = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'ES256' };
  let handle: ReturnType<typeof createMcpEndpoint> | undefined;
  const server = createServer((req, res) => void handle?.(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  handle = createMcpEndpoint({
    origin,
    services,
    isLive: async () => true,
    bearer: {
      issuer: origin,
      audience: `${origin}/mcp`,
      keys: createLocalJWKSet({ keys: [jwk] }),
      clock: services.clock,
      profile: OWN_ISSUER,
    },
  });
  const token = (user: string, claims: Record<string, unknown> = {}) => {
    const now = Math.floor(services.clock() / 1000);
    return new SignJWT({
      iss: origin,
      aud: `${origin}/mcp`,
      sub: user,
      tenant: user.startsWith('lak_') ? 'lakeside' : 'riverside',
      client_id: 'client-1',
      grant_id: 'g',
      scope: ALL_SCOPES,
      jti: crypto.randomUUID(),
      iat: now,
      exp: now + 60,
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k' })
      .sign(pair.privateKey);
  };
  const send = async (
    user: string,
    params: object,
    more: { claims?: object; headers?: object } = {},
  ): Promise<Answer> => {
    const response = await fetch(`${origin}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${await token(user, { ...more.claims })}`,
        ...more.headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params }),
    });
    return {
      status: response.status,
      headers: response.headers,
      json: (await response.json()) as Answer['json'],
    };
  };
  const call = (user: string, name: string, args: unknown, more: Parameters<typeof send>[2] = {}) =>
    send(user, { name, arguments: args }, more);
  const rows = () =>
    new Map(
      [...store.rows].flatMap(([tenant, all]) =>
        [...all].map(([id, row]) => [`${tenant} ${id}`, JSON.stringify(row)]),
      ),
    );
  const watch = async (act: () => Promise<Answer>): Promise<Attack> => {
    const before = rows();
    const answer = await act();
    const changed = [...rows()].filter(([id, row]) => before.get(id) !== row).map(([id]) => id);
    const events = changed.flatMap((id) => eventIn(store, id));
    return { answer, events, written: changed.map((id) => id.split(/[ /]/)[1] ?? '').sort() };
  };
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { ...clinic, mary, origin, token, send, call: call, watch, close };
}
export type House = Awaited<ReturnType<typeof openHouse>>;

async function openLakeside({ store, secrets, indexKeys, services }: Awaited<ReturnType<typeof openClinic>>) {
  const demo = DEMO_CLINICS.find(({ tenant }) => tenant === LAKESIDE);
  if (demo === undefined) throw new Error('no second clinic');
  const { name, phone, zone } = demo;
  await setUpClinic(store, LAKESIDE, {
    ...demo,
    clinic: { name, phone, zone, keyId: localKeyId(1), state: 'active' },
  });
  await secrets.ensure(LAKESIDE);
  await indexKeys.ensure(LAKESIDE);
  const { patient } = await importPatient(MARY, { ...services, tenant: LAKESIDE, by: 'test' });
  const join_ = (user: string, role: string, own: typeof patient | null = null) =>
    putMember(store, LAKESIDE, { user: user as UserId, role, patient: own });
  await join_('lak_mary', 'patient', patient);
  for (const role of ['proxy', 'clinician', 'frontdesk', 'auditor', 'admin'])
    await join_(`lak_${role}`, role);
  return patient;
}

function eventIn(store: House['store'], id: string): AuditEvent[] {
  const [tenant = '', address = ''] = id.split(' ');
  if (!address.startsWith(`${auditEvents.name}/`)) return [];
  const row = store.rows.get(tenant as TenantId)?.get(address) as { leaf: Uint8Array } | undefined;
  return row === undefined ? [] : [JSON.parse(Buffer.from(row.leaf).toString('utf8')) as AuditEvent];
}

/** The one form of a refused chart, whoever asked and for whatever: status, body, and nothing written but its event. */
export function expectRefused({ answer, written, events }: Attack, code = 'NOT_FOUND'): void {
  expect(answer.status).toBe(200);
  const { result } = answer.json;
  expect(Object.keys(answer.json).sort()).toEqual(['id', 'jsonrpc', 'result']);
  expect(Object.keys(result ?? {}).sort()).toEqual(['_meta', 'content', 'isError']);
  expect(result?.isError).toBe(true);
  expect(result?._meta).toEqual({ 'chartseal/error': { code, retryable: false } });
  expect(result?.content).toEqual([{ type: 'text', text: expect.stringContaining(`(${code})`) }]);
  expect(JSON.stringify(answer.json)).not.toMatch(/Doe|Lake"|Leo|Park|Asthma|1968|1990/);
  expect(written).toEqual(['auditEvents', 'auditPending']);
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ outcome: code === 'POLICY_UNAVAILABLE' ? '8' : '4', reason: code });
}

/** Every tool that takes a patient has its arguments above; a new tool must be added, or this fails. */
export const chartToolNames = (): string[] =>
  TOOLS.filter(({ input }) => 'patient' in input.shape).map(({ name }) => name);
