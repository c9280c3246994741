import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chartLines, displayName } from '../../src/clinic/chart-view.ts';
import { readPatientBundle } from '../../src/clinic/fhir-import.ts';

const ROOT = join(import.meta.dirname, '../..');
const own = (name: string) => readFileSync(join(ROOT, 'emulator-data', `${name}.json`), 'utf8');
const SYNTHEA = join(ROOT, '../shared/data/synthea');

describe('a FHIR R4 patient bundle', () => {
  test('is cut by compartment, and what is not kept is counted', () => {
    const { chart, imported, left } = readPatientBundle(own('john-doe'));
    expect(displayName(chart.demographics)).toBe('John Quincy Doe');
    expect(JSON.stringify(chart.demographics)).not.toContain('999-45-6120');
    expect(JSON.stringify(chart.identifiers)).toContain('999-45-6120');
    expect(chart.contact.address[0]?.city).toBe('Cambridge');
    expect(imported).toEqual({
      Patient: 1,
      Condition: 3,
      MedicationRequest: 3,
      AllergyIntolerance: 1,
      Immunization: 2,
      Observation: 4,
    });
    expect(left).toEqual({ Encounter: 1 });
  });

  test('keeps each resource as it came', () => {
    const bundle = JSON.parse(own('john-doe')) as { entry: { resource: { resourceType: string } }[] };
    const conditions = bundle.entry
      .map(({ resource }) => resource)
      .filter(({ resourceType }) => resourceType === 'Condition');
    const kept = readPatientBundle(own('john-doe')).chart.clinical.resources.filter(
      ({ resourceType }) => resourceType === 'Condition',
    );
    expect(kept).toEqual(conditions);
  });

  test('reads as lines, newest first, with value and unit', () => {
    const { chart } = readPatientBundle(own('john-doe'));
    expect(chartLines(chart.clinical, 'Observation').slice(0, 1)).toEqual([
      {
        text: 'Hemoglobin A1c/Hemoglobin.total in Blood',
        date: '2026-05-19T08:45:00-04:00',
        status: 'final',
        detail: '7.3 %',
      },
    ]);
  });

  const files = existsSync(SYNTHEA) ? readdirSync(SYNTHEA).filter((name) => name.endsWith('.json')) : [];
  test(`every Synthea bundle at hand is read whole (${files.length} here)`, () => {
    for (const file of files) {
      const text = readFileSync(join(SYNTHEA, file), 'utf8');
      const total = (JSON.parse(text) as { entry: unknown[] }).entry.length;
      const { imported, left } = readPatientBundle(text);
      const counted = [...Object.values(imported), ...Object.values(left)].reduce((sum, n) => sum + n, 0);
      expect(counted).toBe(total);
      expect(imported['Observation']).toBeGreaterThan(0);
    }
  });

  const john = JSON.parse(own('john-doe')) as { entry: { resource: Record<string, unknown> }[] };
  const changed = (change: (bundle: typeof john) => void): string => {
    const copy = structuredClone(john);
    change(copy);
    return JSON.stringify(copy);
  };
  test.each([
    ['not JSON', '{'],
    ['not a bundle', '{"resourceType":"Patient"}'],
    ['no patient', changed((bundle) => bundle.entry.shift())],
    ['two patients', changed((bundle) => bundle.entry.push(bundle.entry[0] as never))],
    [
      'a patient without a birth date',
      changed((bundle) => Reflect.deleteProperty(bundle.entry[0]?.resource ?? {}, 'birthDate')),
    ],
    [
      'a resource about somebody else',
      changed((bundle) =>
        Object.assign(bundle.entry[2]?.resource ?? {}, { subject: { reference: 'Patient/other' } }),
      ),
    ],
    [
      'a resource about nobody',
      changed((bundle) => Reflect.deleteProperty(bundle.entry[2]?.resource ?? {}, 'subject')),
    ],
    ['over 8 MiB', `{"x":"${'x'.repeat(8_388_608)}"}`],
  ])('%s is refused whole, without a value in the message', (_name, text) => {
    expect(() => readPatientBundle(text)).toThrow(expect.objectContaining({ code: 'IMPORT_FORMAT' }));
    expect(() => readPatientBundle(text)).not.toThrow(/Doe|1968|Diabetes/);
  });
});
