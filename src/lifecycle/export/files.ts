import { csvHeader, csvLine } from '../../audit/export/csv.ts';
import { bundleOf } from './bundle.ts';
import type { Held } from './held.ts';
import { recordPage } from './page.ts';

/** The files of an export. Stored: never rename one. */
export const EXPORT_FILES = {
  record: { name: 'record.html', type: 'text/html; charset=utf-8', words: 'Your record, to read' },
  fhir: {
    name: 'record.fhir.json',
    type: 'application/fhir+json',
    words: 'Your record, for other systems (FHIR R4)',
  },
  access: { name: 'access-report.csv', type: 'text/csv; charset=utf-8', words: 'Who opened your chart' },
} as const;
export type ExportFile = keyof typeof EXPORT_FILES;
export const EXPORT_FILE_IDS = Object.keys(EXPORT_FILES) as readonly ExportFile[];

/** The files in clear. */
export function exportFilesOf(held: Held): Readonly<Record<ExportFile, string>> {
  return {
    record: recordPage(held),
    fhir: JSON.stringify(bundleOf(held)),
    access: [csvHeader(), ...held.events.map((event) => csvLine(event, null))].join('\r\n'),
  };
}
