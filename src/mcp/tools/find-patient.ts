import { z } from 'zod';
import type { Decision, Requirement } from '../../access/policy.ts';
import { displayName } from '../../clinic/chart-view.ts';
import type { ChartParts } from '../../clinic/patients.ts';
import { hasTwoIdentifiers, type Identifiers } from '../../crypto/search-facts.ts';
import type { PatientAlias, PatientId } from '../../kernel/ids.ts';
import { defineTool, type ToolCall, type ToolResult } from '../tool.ts';

const SHOWN = 5;
const MAX_FOUND = 20;
const TO_SHOW: Requirement = { actions: ['read-demographics'] };

const output = z.object({
  outcome: z.enum(['found', 'none', 'tooMany', 'needSecondIdentifier']),
  patients: z.array(z.object({ patient: z.string(), name: z.string(), birthDate: z.string() })),
});
type Output = z.infer<typeof output>;

/** What tells two people of one name and birthday apart for whoever stands at the desk; the model needs none of it. */
const widget = z.object({
  patients: z.array(
    z.object({
      patient: z.string(),
      gender: z.string().optional(),
      phoneEnding: z.string().optional(),
      city: z.string().optional(),
    }),
  ),
});

const word = (what: string) => z.string().min(1).max(100).optional().describe(what);

/** Finds a patient of the clinic by two identifiers. */
export const findPatient = defineTool({
  name: 'findPatient',
  title: 'Find a patient',
  description:
    'Staff only. Finds a patient by two identifiers at least (a full name and a birth date are two) and answers with ' +
    'the handle that other tools take as patient. With one identifier it finds nobody: ask for a second. Confirm with ' +
    'name and birth date before you go on.',
  input: z.object({
    familyName: word('With givenName'),
    givenName: word('With familyName'),
    birthDate: word('YYYY-MM-DD'),
    phone: word('With area code'),
    email: word('As written'),
    recordNumber: word('Medical record number'),
  }),
  output,
  widget,
  shownBy: 'patients',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'E', resource: 'Patient' },
  onError: 'Nobody was looked for.',
  requirement: { actions: ['find-patients'] },
  staffOnly: true,
  run: async (input, call): Promise<ToolResult<Output>> => {
    const asked = identifiersOf(input);
    if (!hasTwoIdentifiers(asked)) {
      return {
        output: { outcome: 'needSecondIdentifier', patients: [] },
        text: 'Two identifiers are needed. Ask for another: birth date, telephone, e-mail or record number.',
        refused: 'SECOND_IDENTIFIER',
      };
    }
    const ids = await call.services.index.find(call.principal.tenant, asked);
    if (ids.length > MAX_FOUND) return tooMany();
    const found = await openEach(call, ids);
    if (found.length > SHOWN) return tooMany();
    if (found.length === 0)
      return { output: { outcome: 'none', patients: [] }, text: 'No patient of yours matches all of it.' };
    return {
      output: { outcome: 'found', patients: found.map(({ shown }) => shown) },
      widget: { patients: found.map(({ extra }) => extra) },
      text: `${found.length} found. Confirm name and birth date.`,
      patients: found,
    };
  },
});

const tooMany = (): ToolResult<Output> => ({
  output: { outcome: 'tooMany', patients: [] },
  text: 'Too many match. Ask for another identifier.',
  refused: 'TOO_MANY',
});

type Input = Readonly<
  Partial<
    Record<'familyName' | 'givenName' | 'birthDate' | 'phone' | 'email' | 'recordNumber', string | undefined>
  >
>;

function identifiersOf({ familyName, givenName, birthDate, phone, email, recordNumber }: Input): Identifiers {
  const named =
    familyName === undefined
      ? {}
      : givenName === undefined
        ? { surname: familyName }
        : { name: { family: familyName, given: givenName } };
  return {
    ...named,
    ...(birthDate === undefined ? {} : { birthDate }),
    ...(phone === undefined ? {} : { phone }),
    ...(email === undefined ? {} : { email }),
    ...(recordNumber === undefined ? {} : { mrn: recordNumber }),
  };
}

interface Found {
  readonly alias: PatientAlias;
  readonly decision: Decision;
  readonly shown: Output['patients'][number];
  readonly extra: z.infer<typeof widget>['patients'][number];
}

/** One after another, so that each opening is counted before the next; who is not the caller's to see is left out. */
async function openEach(call: ToolCall, ids: readonly PatientId[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const patient of ids) {
    if (found.length > SHOWN) break;
    const decision = await call.alsoOpen(patient, TO_SHOW);
    if (decision === null) continue;
    const of = { tenant: call.principal.tenant, patient };
    const chart = await call.services.patients.read(of, [
      'demographics',
      ...(call.showsWidgets ? (['contact'] as const) : []),
    ]);
    if (chart === null || chart.parts.demographics === null) continue;
    const { demographics } = chart.parts;
    const shown = { patient, name: displayName(demographics), birthDate: demographics.birthDate };
    const extra = { patient, ...tellingApart(chart.parts) };
    found.push({ alias: chart.alias, decision, shown, extra });
  }
  return found;
}

const ENDING = 4;

function tellingApart({ demographics, contact }: Partial<ChartParts<'demographics' | 'contact'>['parts']>) {
  const gender = demographics?.gender;
  const phone = contact?.telecom.find(({ system }) => system === 'phone')?.value?.replace(/\D/g, '');
  const city = contact?.address[0]?.city;
  return {
    ...(gender === undefined ? {} : { gender }),
    ...(phone === undefined || phone.length <= ENDING ? {} : { phoneEnding: phone.slice(-ENDING) }),
    ...(city === undefined ? {} : { city }),
  };
}
