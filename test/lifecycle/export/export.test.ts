import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPatientBundle } from '../../../src/clinic/fhir-import.ts';
import { importPatient } from '../../../src/clinic/import-patient.ts';
import type { PatientId } from '../../../src/kernel/ids.ts';
import { bundleOf, type ExportBundle } from '../../../src/lifecycle/export/bundle.ts';
import { exportFilesOf } from '../../../src/lifecycle/export/files.ts';
import { requireHeld } from '../../../src/lifecycle/export/make-export.ts';
import { NOW, openClinic } from '../../access/people.ts';
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
