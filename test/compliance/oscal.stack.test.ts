import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { expect, test } from 'vitest';
import { assess } from '../../src/compliance/assess.ts';
import type { Facts } from '../../src/compliance/facts.ts';
import { oscalOf, tokenOf } from '../../src/compliance/output/oscal.ts';
import { reportPage } from '../../src/compliance/output/page.ts';
import { factsOf, soundStore } from './world.ts';

const SCHEMAS = join(import.meta.dirname, '../../../shared/data/oscal/schemas');
const FILES = {
  'component-definition.json': 'oscal_component_schema.json',
  'assessment-results.json': 'oscal_assessment-results_schema.json',
  'plan-of-action.json': 'oscal_poam_schema.json',
} as const;

/** A report in which something is to be done. */
const faulty = async (): Promise<Facts> => {
  const facts = await factsOf(await soundStore());
  return { ...facts, config: { ...facts.config, kms: 'local' } };
};

/** What the schema says of a document; only its frozen outline where the schemas are not at hand. */
function faultsOf(file: keyof typeof FILES, document: unknown): unknown {
  const path = join(SCHEMAS, FILES[file]);
  if (!existsSync(path))
    return JSON.stringify(document).includes('"oscal-version":"1.1.2"') ? null : 'no metadata';
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const validate = ajv.compile(JSON.parse(readFileSync(path, 'utf8')));
  return validate(document) ? null : validate.errors;
}

test.each(Object.keys(FILES) as (keyof typeof FILES)[])('%s is valid OSCAL', async (file) => {
  const document = oscalOf(assess(await faulty()))[file];
  expect(faultsOf(file, document)).toBeNull();
  expect(faultsOf(file, { 'component-definition': {} })).not.toBeNull();
});

test('a plan of action is there only when something is to be done, and names each remedy', async () => {
  expect(Object.keys(oscalOf(assess(await factsOf(await soundStore()))))).not.toContain(
    'plan-of-action.json',
  );
  const plan = JSON.stringify(oscalOf(assess(await faulty()))['plan-of-action.json']);
  expect(plan).toContain('CHARTSEAL_KMS=aws');
});

test('a control that software cannot assess is no finding', async () => {
  const results = JSON.stringify(oscalOf(assess(await faulty()))['assessment-results.json']);
  expect(results).toContain('"state":"not-satisfied"');
  expect(results).not.toMatch(/"status":\{"state":"not-assessable"/);
});

test('ids of controls are tokens of OSCAL', () => {
  expect(tokenOf({ framework: 'HIPAA', id: '164.312(a)(2)(iv)' })).toBe('hipaa-164.312.a.2.iv');
  expect(tokenOf({ framework: 'PCI DSS', id: '3.5' })).toBe('pci-dss-3.5');
});

test('what is found cannot become markup of the page', async () => {
  const facts = await faulty();
  const page = reportPage(
    assess({ ...facts, config: { ...facts.config, version: '<script>alert(1)</script>' } }),
  );
  expect(page).not.toContain('<script>');
  expect(page).toContain('Often said, and not so');
});
