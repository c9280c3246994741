import { hash } from 'node:crypto';
import type { JsonValue } from '../../kernel/collection.ts';
import type { Checked, ComplianceReport, Controlled } from '../assess.ts';

const OSCAL = '1.1.2';
/** Where each framework’s own text is. */
const SOURCES: Readonly<Record<string, string>> = {
  HIPAA: 'https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164',
  GDPR: 'https://eur-lex.europa.eu/eli/reg/2016/679/oj',
  'PCI DSS': 'https://www.pcisecuritystandards.org/document_library/',
  Layers: 'https://csrc.nist.gov/pubs/sp/800/111/final',
  'SOC 2': 'https://www.aicpa-cima.com/resources/download/2017-trust-services-criteria',
};

/** The report in OSCAL, file name → document. The plan of action is there only when something is to be done. */
export function oscalOf(report: ComplianceReport): Readonly<Record<string, JsonValue>> {
  const todo = report.checks.filter(({ state }) => state === 'not-satisfied');
  return {
    'component-definition.json': componentDefinition(report),
    'assessment-results.json': assessmentResults(report),
    ...(todo.length > 0 && { 'plan-of-action.json': planOfAction(report, todo) }),
  };
}

function componentDefinition(report: ComplianceReport): JsonValue {
  const frameworks = Map.groupBy(report.controls, ({ framework }) => framework);
  const component = {
    uuid: idOf(report.version, 'component'),
    type: 'software',
    title: 'Chartseal',
    description:
      'The backend of a healthcare app inside ChatGPT: sealed charts, booked visits, provable audit.',
    'control-implementations': [...frameworks].map(([framework, controls]) => ({
      uuid: idOf(report.version, framework),
      source: SOURCES[framework] ?? '',
      description: `What of ${framework} software can show, and what a person must look at.`,
      'implemented-requirements': controls.map((control) => ({
        uuid: idOf(report.version, `${framework} ${control.id}`),
        'control-id': tokenOf(control),
        description: saidOf(control),
      })),
    })),
  };
  return {
    'component-definition': {
      uuid: idOf(report.version, 'component-definition'),
      metadata: metadataOf(report, 'Chartseal: what it does for each control'),
      components: [component],
    },
  };
}

function assessmentResults(report: ComplianceReport): JsonValue {
  const assessed = report.controls.filter(({ state }) => state !== 'not-assessable');
  const left = report.controls.filter(({ state }) => state === 'not-assessable');
  const selected = (of: readonly Controlled[]): JsonValue =>
    of.map((one) => ({ 'control-id': tokenOf(one) }));
  const selection = {
    ...(assessed.length > 0 && { 'include-controls': selected(assessed) }),
    ...(left.length > 0 && { 'exclude-controls': selected(left) }),
    remarks: 'What is excluded, software cannot assess: the report says what a person must look at.',
  };
  const result = {
    uuid: idOf(report.at, 'result'),
    title: `Checks of ${report.tenant}`,
    description: 'Automated checks of the running system. They judge no organisation.',
    start: report.at,
    end: report.at,
    'reviewed-controls': { 'control-selections': [selection] },
    observations: report.checks.map((check) => observation(report, check)),
    ...(assessed.length > 0 && { findings: assessed.map((control) => finding(report, control)) }),
  };
  return {
    'assessment-results': {
      uuid: idOf(report.at, 'assessment-results'),
      metadata: metadataOf(report, `What was checked of ${report.tenant}`),
      'import-ap': {
        href: 'report.json',
        remarks: 'The checks are the plan: each has an id, a method and a remedy.',
      },
      results: [result],
    },
  };
}

function planOfAction(report: ComplianceReport, todo: readonly Checked[]): JsonValue {
  return {
    'plan-of-action-and-milestones': {
      uuid: idOf(report.at, 'poam'),
      metadata: metadataOf(report, `What is to be done at ${report.tenant}`),
      'system-id': { id: `chartseal-${report.tenant}` },
      observations: todo.map((check) => observation(report, check)),
      'poam-items': todo.map((check) => ({
        uuid: idOf(report.at, `poam ${check.id}`),
        title: check.title,
        description: `${check.sentence} ${check.remedy}`,
        'related-observations': [{ 'observation-uuid': idOf(report.at, check.id) }],
      })),
    },
  };
}

const observation = (report: ComplianceReport, check: Checked): JsonValue => ({
  uuid: idOf(report.at, check.id),
  title: check.title,
  description: check.sentence,
  props: [
    { name: 'check', value: check.id, ns: 'https://chartseal.dev/ns/oscal' },
    { name: 'state', value: check.state, ns: 'https://chartseal.dev/ns/oscal' },
    { name: 'evidence-sha256', value: check.evidenceSha256, ns: 'https://chartseal.dev/ns/oscal' },
  ],
  methods: [check.method],
  collected: report.at,
  'relevant-evidence': [{ href: 'report.json', description: JSON.stringify(check.evidence) }],
});

const finding = (report: ComplianceReport, control: Controlled): JsonValue => ({
  uuid: idOf(report.at, `${control.framework} ${control.id}`),
  title: `${control.framework} ${control.id}: ${control.title}`,
  description: saidOf(control),
  target: { type: 'objective-id', 'target-id': tokenOf(control), status: { state: control.state } },
  'related-observations': control.checks.map((id) => ({ 'observation-uuid': idOf(report.at, id) })),
});

const metadataOf = (report: ComplianceReport, title: string): JsonValue => ({
  title,
  'last-modified': report.at,
  version: report.version,
  'oscal-version': OSCAL,
});

const saidOf = ({ title, checks, person }: Controlled): string =>
  [
    `${title}.`,
    ...(checks.length > 0 ? [`Checked by: ${checks.join(', ')}.`] : []),
    ...(person !== '' ? [`A person looks at: ${person}`] : []),
  ].join(' ');

/** `HIPAA 164.312(a)(2)(iv)` → `hipaa-164.312.a.2.iv`: OSCAL’s ids are tokens. */
export const tokenOf = ({ framework, id }: Pick<Controlled, 'framework' | 'id'>): string =>
  `${framework} ${id}`
    .toLowerCase()
    .replace(/[()]+/g, '.')
    .replace(/\.(?=\s|$)/g, '')
    .replace(/[^a-z0-9.]+/g, '-');

/** A name-based UUID (RFC 9562 version 5’s form): the same thing of the same report has the same id. */
function idOf(scope: string, name: string): string {
  const hex = hash('sha256', `chartseal/oscal\0${scope}\0${name}`, 'hex');
  const variant = '89ab'[Number.parseInt(hex[16] ?? '0', 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
