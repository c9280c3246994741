import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../../src/audit/append.ts';
import { Documents } from '../../../src/clinic/documents/documents.ts';
import { readPatientBundle } from '../../../src/clinic/fhir-import.ts';
import { importPatient } from '../../../src/clinic/import-patient.ts';
import type { PatientId } from '../../../src/kernel/ids.ts';
import { bundleOf, type ExportBundle } from '../../../src/lifecycle/export/bundle.ts';
import { documentsNamedIn, zipDocuments } from '../../../src/lifecycle/export/document-files.ts';
import { exportFilesOf } from '../../../src/lifecycle/export/files.ts';
import { requireHeld } from '../../../src/lifecycle/export/make-export.ts';
import { NOW, openClinic } from '../../access/people.ts';
import { memoryObjects } from '../../doubles/memory-objects.ts';
import { TENANT } from '../../mcp/house.ts';

const OWN = join(import.meta.dirname, '../../../emulator-data');
const SYNTHEA = join(import.meta.dirname, '../../../../shared/data/synthea');
const bundles = [OWN, SYNTHEA].flatMap((folder) =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .map((name) => join(folder, name))
    : [],
);

interface Resource {
  readonly resourceType: string;
  readonly id?: string;
}
const resourcesIn = (bundle: { entry: readonly { resource: unknown }[] }): Resource[] =>
  bundle.entry.map(({ resource }) => resource as Resource);

/** What a chart keeps of a bundle: the patient without the narrative, which says nothing of its own, and the clinical. */
function kept(text: string): Resource[] {
  const known = new Set(Object.keys(readPatientBundle(text).imported));
  return resourcesIn(JSON.parse(text))
    .filter(({ resourceType }) => known.has(resourceType))
    .map((resource) => {
      if (resource.resourceType !== 'Patient') return resource;
      const { text: _narrative, ...patient } = resource as Resource & { text?: unknown };
      return patient;
    });
}

const ENTRY: AuditEntry = {
  ...{ action: 'C', operation: 'test', outcome: '0', purposeOfUse: 'PATRQT', policy: 'test' },
  actor: { user: 'usr', role: 'patient', client: 'c' },
};
async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function open() {
  const clinic = await openClinic();
  const parts = { store: clinic.store, charts: clinic.charts, secrets: clinic.secrets };
  const exportOf = async (patient: PatientId) =>
    requireHeld(parts, { tenant: TENANT, patient }, clinic.time.now);
  const importText = async (text: string) =>
    (await importPatient(text, { ...clinic.services, tenant: TENANT, by: 'test' })).patient;
  return { ...clinic, exportOf, importText };
}

describe('an export', () => {
  test.each(bundles.map((path) => [path.split('/').at(-1) ?? '', path]))(
    '%s comes out as it went in, and goes into another instance as the same chart',
    async (_name, path) => {
      const text = readFileSync(path, 'utf8');
      const here = await open();
      const first = bundleOf(await here.exportOf(await here.importText(text)));
      const expected = kept(text);
      expect(resourcesIn(first).slice(0, expected.length)).toEqual(
        [...expected].sort(
          (a, b) => Number(b.resourceType === 'Patient') - Number(a.resourceType === 'Patient'),
        ),
      );
      const there = await open();
      const second = await there.exportOf(await there.importText(JSON.stringify(first)));
      expect(kept(JSON.stringify(bundleOf(second)))).toEqual(kept(JSON.stringify(first)));
    },
  );

  test('holds visits, waiting list, consents, who is related, requests in words, and each access', async () => {
    const clinic = await open();
    await clinic.relate('usr_clinician', clinic.john, 'care-team');
    await clinic.say(clinic.john, 'sensitive', 'granted');
    const found = await clinic.call('usr_john', 'findOpenSlots', {
      visitType: 'general-visit',
      from: '2026-11-30',
    });
    const [slot] = (found.structuredContent as { slots: { slotId: string }[] }).slots;
    await clinic.call('usr_john', 'scheduleAppointment', {
      visitType: 'general-visit',
      slotId: slot?.slotId,
      reason: 'A zanzibarine rash',
    });
    await clinic.call('usr_john', 'joinWaitlist', { visitType: 'general-visit' });
    const held = await clinic.exportOf(clinic.john);
    const kinds = resourcesIn(bundleOf(held)).map(({ resourceType }) => resourceType);
    for (const kind of ['Patient', 'Condition', 'Appointment', 'Consent', 'CareTeam'])
      expect(kinds).toContain(kind);
    expect(kinds.filter((kind) => kind === 'Appointment')).toHaveLength(2);
    const { record, fhir, access } = exportFilesOf(held);
    for (const file of [record, fhir]) expect(file).toContain('A zanzibarine rash');
    expect(access.split('\r\n').length).toBe(held.events.length + 1);
    expect(held.events.map(({ operation }) => operation)).toContain('scheduleAppointment');
    expect(access).not.toContain('zanzibarine');
  });

  test('names each document and holds its bytes; no key of one goes out', async () => {
    const clinic = await open();
    const of = { tenant: TENANT, patient: clinic.john };
    const parts = { ...clinic, clock: Date.now, audit: clinic.services.audit, objects: memoryObjects() };
    const documents = new Documents(parts);
    const texts = ['one letter', 'x'.repeat(600_000)];
    for (const [n, text] of texts.entries())
      await documents.add(
        of,
        {
          title: `Letter <${n}>`,
          kind: 'referral',
          addedBy: 'patient',
          bytes: bytesOf(text),
          addedAt: NOW + n,
        },
        () => ENTRY,
      );
    const held = await clinic.exportOf(clinic.john);
    const { record, fhir } = exportFilesOf(held);
    const references = resourcesIn(JSON.parse(fhir)).filter(
      ({ resourceType }) => resourceType === 'DocumentReference',
    );
    expect(references).toHaveLength(2);
    expect(references).toContainEqual(
      expect.objectContaining({
        status: 'current',
        description: 'Letter <0>',
        date: new Date(NOW).toISOString(),
      }),
    );
    expect(record).toContain('Letter &lt;0&gt;');
    for (const file of [record, fhir]) expect(file).not.toMatch(/"key"|application\/octet-stream/);
    const pieces: Uint8Array[] = [];
    for await (const part of zipDocuments(documents, of, held.documents)) pieces.push(part);
    const files = unzipSync(Buffer.concat(pieces));
    const named = documentsNamedIn(fhir).sort((a, b) => a.addedAt - b.addedAt);
    expect(named.map(({ path: _path, ...rest }) => rest)).toEqual([
      { title: 'Letter <0>', kind: 'referral', addedAt: NOW },
      { title: 'Letter <1>', kind: 'referral', addedAt: NOW + 1 },
    ]);
    expect(named.map(({ path }) => Buffer.from(files[path] ?? []).toString())).toEqual(texts);
  });

  test('a bundle of another system names no file that would be read', () => {
    const reference = (url: string) => ({
      resource: {
        resourceType: 'DocumentReference',
        type: { coding: [] },
        date: '2026-01-01T00:00:00.000Z',
        description: 'x',
        content: [{ attachment: { url } }],
      },
    });
    const urls = [
      '../../etc/passwd',
      '/etc/passwd',
      'documents/../x.pdf',
      'https://elsewhere.example/a.pdf',
      'Binary/1',
    ];
    expect(documentsNamedIn(JSON.stringify({ entry: urls.map(reference) }))).toEqual([]);
  });

  test('what no part of this version can read goes out all the same', async () => {
    const clinic = await open();
    const of = { tenant: TENANT, patient: clinic.john };
    await clinic.charts.transact(of, async (chart, tx) => {
      const name = { collection: 'charts', document: clinic.john, compartment: 'sensitive' } as const;
      await chart.seal(name, Buffer.from('of a later version'), 9);
      return chart.save(tx);
    });
    const resources = resourcesIn(bundleOf(await clinic.exportOf(clinic.john))) as (Resource & {
      data?: string;
    })[];
    const raw = resources.find(({ resourceType }) => resourceType === 'Binary');
    expect(Buffer.from(raw?.data ?? '', 'base64').toString()).toBe('of a later version');
  });

  test('the page takes nothing from elsewhere, runs nothing, and escapes what a chart says', async () => {
    const clinic = await open();
    const evil = readFileSync(join(OWN, 'leo-park.json'), 'utf8').replaceAll(
      '"Park"',
      '"<script>alert(1)</script>"',
    );
    const { record } = exportFilesOf(await clinic.exportOf(await clinic.importText(evil)));
    expect(record).not.toMatch(/<script|src=|href=|url\(|@import/);
    expect(record).toContain('&lt;script&gt;');
  });

  test('the shape of the bundle is one that FHIR R4 allows', async () => {
    const clinic = await open();
    const bundle: ExportBundle = bundleOf(await clinic.exportOf(clinic.john));
    expect(bundle).toMatchObject({
      resourceType: 'Bundle',
      type: 'collection',
      timestamp: new Date(NOW).toISOString(),
    });
    for (const { id } of resourcesIn(bundle)) expect(id ?? 'none').toMatch(/^[A-Za-z0-9.-]{1,64}$/);
  });
});
