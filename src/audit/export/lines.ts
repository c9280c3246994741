import type { AuditEvent } from '../event.ts';
import { leavesOf } from '../log-events.ts';
import type { LogSource } from '../verify/source.ts';
import { readEvent } from '../verify/walk.ts';
import { cefLine } from './cef.ts';
import { csvHeader, csvLine } from './csv.ts';
import { fhirOf } from './fhir.ts';

/**
 * The forms in which the log is written as one file: `fhir` is one AuditEvent a line (FHIR bulk data's NDJSON), `cef` what
 * SIEMs read.
 */
export const LINE_FORMATS = ['ndjson', 'csv', 'fhir', 'cef'] as const;
export type LineFormat = (typeof LINE_FORMATS)[number];

/** The log's events as lines without a line feed: in the tree's order, then what is pending. */
export async function* exportLines(
  source: LogSource,
  format: LineFormat,
  origin: string,
): AsyncGenerator<string> {
  if (format === 'csv') yield csvHeader();
  for await (const { leaf, index } of leavesOf(source)) {
    const event = readEvent(leaf);
    if (format === 'ndjson') yield JSON.stringify({ index, event });
    else if (event !== null) yield LINES[format](event, index, origin);
  }
}

type OfEvent = (event: AuditEvent, index: number | null, origin: string) => string;

const LINES: Readonly<Record<Exclude<LineFormat, 'ndjson'>, OfEvent>> = {
  csv: csvLine,
  cef: cefLine,
  fhir: (event, index, origin) => JSON.stringify(fhirOf(event, { origin, index })),
};
