import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { members } from '../../access/members.ts';
import { auditEvents, auditPending } from '../../audit/append.ts';
import type { AuditEvent } from '../../audit/event.ts';
import { CHART_SHAPES, type ChartCompartment } from '../../clinic/chart.ts';
import { COLLECTIONS } from '../../collections.ts';
import type { Composed } from '../../compose.ts';
import { chartValues } from '../../crypto/open-chart.ts';
import { type Collection, ref } from '../../kernel/collection.ts';
import { type PatientId, SYSTEM_TENANT, type TenantId } from '../../kernel/ids.ts';
import type { TenantStore } from '../../kernel/store.ts';
import type { Booked, Step, Tell } from './conversation.ts';

/** Where to look. */
export interface Scene {
  readonly composed: Composed;
  readonly tenant: TenantId;
  readonly user: string;
  readonly dataDir: string;
  /** When the conversation began, ms since the epoch. */
  readonly since: number;
  readonly booked: Booked;
}

const PAGE = 200;
const SHOWN_EVENTS = 12;
const SHOWN_KMS = 6;

/** Behind the curtain: the sealed bytes, a search of the whole store, the audit events, and what KMS was asked. */
export async function showEvidence(scene: Scene, tell: Tell): Promise<void> {
  const store = scene.composed.store.tenant(scene.tenant);
  const [member] = await store.get(ref(members, scene.user));
  const patient = (member?.patient ?? '') as PatientId;
  tell(await storedDocument(scene, store, patient));
  tell(await storeSearch(scene, patient));
  tell(await auditTrail(scene, store));
  tell(await kmsTrail(scene));
}

async function storedDocument(
  { booked, composed }: Scene,
  store: TenantStore,
  patient: PatientId,
): Promise<Step> {
  const id = `${patient}-appointments-${booked.appointmentId}-scheduling`;
  const [row] = await store.get(ref(chartValues, id));
  if (row === null) return { title: 'the stored document', ok: false, lines: ['It is not there.'] };
  const hex = Buffer.from(row.sealed).toString('hex');
  return {
    title: `the appointment as ${composed.store.kind} holds it`,
    ok: hex.startsWith('c501'),
    lines: [
      `chartValues/${id}`,
      `magic ${hex.slice(0, 2)}  suite ${hex.slice(2, 4)}  key version ${Number.parseInt(hex.slice(8, 16), 16)}  revision ${row.revision}`,
      `salt        ${hex.slice(16, 48)}`,
      `commitment  ${hex.slice(48, 112)}`,
      `ciphertext  ${hex.slice(112, 176)}… (${row.sealed.length - 72} bytes and a 16-byte tag)`,
    ],
    data: { id, row: { ...row, sealed: hex } },
  };
}

/** Every row of the tenant and of the system tenant, searched for everything that the person's chart says. */
async function storeSearch(scene: Scene, patient: PatientId): Promise<Step> {
  const all = Object.keys(CHART_SHAPES) as ChartCompartment[];
  const chart = await scene.composed.services.patients.read({ tenant: scene.tenant, patient }, all);
  const needles = [...new Set([...stringsOf(chart?.parts), scene.booked.reason])].filter(isTelling);
  let rows = 0;
  const found = new Set<string>();
  for (const tenant of [scene.tenant, SYSTEM_TENANT]) {
    for (const of of COLLECTIONS) {
      for await (const text of rowsOf(scene.composed.store.tenant(tenant), of)) {
        rows += 1;
        for (const needle of needles) if (text.includes(needle)) found.add(of.name);
      }
    }
  }
  return {
    title: 'the whole store, searched for every value of the chart',
    ok: rows > 0 && needles.length > 10 && found.size === 0,
    lines: [
      `${needles.length} values looked for in ${rows} rows: ${found.size === 0 ? 'none found' : `found in ${[...found].join(', ')}`}.`,
    ],
    data: { values: needles.length, rows, foundIn: [...found] },
  };
}

/** Short strings and the vocabulary of FHIR say nothing about a person. */
const isTelling = (text: string): boolean =>
  text.length >= 5 && !/^(https?:|urn:|[A-Z][A-Za-z]+$)/.test(text) && !VOCABULARY.has(text);
const VOCABULARY = new Set([
  'final',
  'order',
  'active',
  'stopped',
  'completed',
  'resolved',
  'phone',
  'email',
  'official',
]);

async function* rowsOf(store: TenantStore, of: Collection): AsyncGenerator<string> {
  for (let after: string | undefined; ; ) {
    const page = await store.list(of, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { id, row } of page) yield `${id} ${textOf(row)}`;
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

function textOf(row: Readonly<Record<string, unknown>>): string {
  return Object.values(row)
    .map((value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : JSON.stringify(value),
    )
    .join(' ');
}

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value === null || typeof value !== 'object') return [];
  return Object.values(value).flatMap(stringsOf);
}

async function auditTrail({ since }: Scene, store: TenantStore): Promise<Step> {
  const events: AuditEvent[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.list(auditEvents, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    events.push(...page.map(({ row }) => JSON.parse(Buffer.from(row.leaf).toString('utf8')) as AuditEvent));
    after = page.at(-1)?.id;
    if (page.length < PAGE) break;
  }
  const ours = events.filter(({ recorded }) => Date.parse(recorded) >= since);
  ours.sort((a, b) => (a.recorded < b.recorded ? -1 : 1));
  const twins = await store.get(...ours.map(({ id }) => ref(auditPending, id)));
  const operations = new Set(ours.map(({ operation }) => operation));
  const expected = ['whoAmI', 'getPatient', 'findOpenSlots', 'scheduleAppointment'];
  const refusal = ours.some(({ outcome, reason }) => outcome === '4' && reason === 'TIME_TAKEN');
  return {
    title: 'what the audit log says (field names, never values)',
    ok: expected.every((name) => operations.has(name)) && refusal && twins.length === ours.length,
    lines: ours.slice(-SHOWN_EVENTS).map(eventLine),
    data: ours,
  };
}

function eventLine(event: AuditEvent): string {
  const outcome = event.outcome === '0' ? 'ok' : (event.reason ?? 'failed');
  const fields = event.entity?.fields?.length ?? 0;
  return `${event.recorded}  ${event.action}  ${event.operation.padEnd(20)}${outcome.padEnd(11)}${(event.patient ?? '').padEnd(26)}${fields} fields`;
}

async function kmsTrail({ dataDir, since }: Scene): Promise<Step> {
  const text = await readFile(join(dataDir, 'kms-trail.ndjson'), 'utf8').catch(() => '');
  const records = text
    .split('\n')
    .filter((line) => line !== '')
    .map(
      (line) =>
        JSON.parse(line) as {
          eventTime: string;
          eventName: string;
          requestParameters?: { encryptionContext?: unknown };
        },
    );
  const keyed = records.filter(({ eventName }) => eventName === 'Decrypt' || eventName === 'GenerateDataKey');
  const during = keyed.filter(({ eventTime }) => Date.parse(eventTime) >= since - 1_000).length;
  return {
    title: 'what KMS was asked (its context names an alias, never a person)',
    ok: keyed.length > 0,
    lines: [
      `${during} key uses during this conversation; the key cache answered the rest.`,
      ...keyed
        .slice(-SHOWN_KMS)
        .map(
          ({ eventTime, eventName, requestParameters }) =>
            `${eventTime}  ${eventName.padEnd(16)}${JSON.stringify(requestParameters?.encryptionContext ?? {})}`,
        ),
    ],
    data: keyed.slice(-SHOWN_KMS),
  };
}
