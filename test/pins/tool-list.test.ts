import { expect, test } from 'vitest';
import { TOOL_LISTINGS } from '../../src/mcp/server.ts';

/** What patients grant, or what staff grant. */
const anyOf = (...sets: string[][]) => sets.map((scopes) => ({ type: 'oauth2', scopes }));

/** What a client may rely on. A change here is a change of the product: do it on purpose. */
test('the tool list is pinned: names, inputs, hints, scopes', () => {
  const pinned = TOOL_LISTINGS.map((tool) => ({
    name: tool.name,
    input: Object.keys(tool.inputSchema.properties ?? {}),
    required: tool.inputSchema.required ?? [],
    output: Object.keys(tool.outputSchema?.['properties'] ?? {}),
    hints: [
      tool.annotations?.readOnlyHint,
      tool.annotations?.destructiveHint,
      tool.annotations?.openWorldHint,
    ],
    security: (tool as unknown as { securitySchemes: unknown }).securitySchemes,
  }));
  expect(pinned).toEqual([
    {
      name: 'whoAmI',
      input: [],
      required: [],
      output: ['role', 'hasOwnChart', 'clinic', 'today', 'charts'],
      hints: [true, false, false],
      security: anyOf([]),
    },
    {
      name: 'findPatient',
      input: ['familyName', 'givenName', 'birthDate', 'phone', 'email', 'recordNumber'],
      required: [],
      output: ['outcome', 'patients'],
      hints: [true, false, false],
      security: anyOf(['user/Patient.rs']),
    },
    {
      name: 'getPatient',
      input: ['sections', 'patient'],
      required: ['sections'],
      output: [
        'demographics',
        'contact',
        'conditions',
        'medications',
        'allergies',
        'immunizations',
        'results',
        'documents',
      ],
      hints: [true, false, false],
      security: anyOf(['patient/Patient.rs'], ['user/Patient.rs']),
    },
    {
      name: 'listMedications',
      input: ['which', 'patient'],
      required: [],
      output: ['medications', 'total', 'note'],
      hints: [true, false, false],
      security: anyOf(['patient/*.rs'], ['user/*.rs']),
    },
    {
      name: 'getChartSummary',
      input: ['appointmentId', 'patient'],
      required: ['appointmentId', 'patient'],
      output: [
        'patient',
        'visit',
        'reason',
        'conditions',
        'medications',
        'allergies',
        'results',
        'documents',
        'note',
      ],
      hints: [true, false, false],
      security: anyOf(['user/*.rs', 'user/Patient.rs', 'user/Appointment.crus']),
    },
    {
      name: 'listAppointments',
      input: ['when', 'patient'],
      required: [],
      output: ['appointments', 'more', 'waiting', 'zone'],
      hints: [true, false, false],
      security: anyOf(['patient/Appointment.crus'], ['user/Appointment.crus']),
    },
    {
      name: 'listVisitTypes',
      input: [],
      required: [],
      output: ['visitTypes'],
      hints: [true, false, false],
      security: anyOf([]),
    },
    {
      name: 'findOpenSlots',
      input: ['visitType', 'from', 'to', 'orOn', 'partOfDay', 'patient'],
      required: ['visitType', 'from'],
      output: ['visitType', 'title', 'zone', 'slots', 'more'],
      hints: [true, false, false],
      security: anyOf(['patient/Appointment.crus'], ['user/Appointment.crus']),
    },
    {
      name: 'scheduleAppointment',
      input: ['slotId', 'visitType', 'date', 'partOfDay', 'reason', 'overbook', 'patient'],
      required: [],
      output: ['outcome', 'appointment', 'choices', 'zone', 'phone'],
      hints: [false, false, false],
      security: anyOf(['patient/Appointment.crus'], ['user/Appointment.crus']),
    },
    {
      name: 'rescheduleAppointment',
      input: ['appointmentId', 'slotId', 'date', 'partOfDay', 'patient'],
      required: ['appointmentId'],
      output: ['outcome', 'appointment', 'choices', 'zone', 'phone', 'undoSlotId'],
      hints: [false, false, false],
      security: anyOf(['patient/Appointment.crus'], ['user/Appointment.crus']),
    },
    {
      name: 'cancelAppointment',
      input: ['appointmentId', 'confirm', 'reason', 'patient'],
      required: ['appointmentId'],
      output: ['outcome', 'appointment', 'confirm', 'undoSlotId', 'phone'],
      hints: [false, true, false],
      security: anyOf(['patient/Appointment.crus'], ['user/Appointment.crus']),
    },
    {
      name: 'setAppointmentStatus',
      input: ['appointmentId', 'status', 'patient'],
      required: ['appointmentId', 'status', 'patient'],
      output: ['outcome', 'appointment'],
      hints: [false, false, false],
      security: anyOf(['user/Appointment.crus']),
    },
    {
      name: 'joinWaitlist',
      input: ['visitType', 'from', 'to', 'patient'],
      required: ['visitType'],
      output: ['outcome', 'id', 'visitType', 'from', 'to', 'phone'],
      hints: [false, false, false],
      security: anyOf(['patient/Appointment.crus'], ['user/Appointment.crus']),
    },
    {
      name: 'listChartAccess',
      input: ['patient'],
      required: [],
      output: ['accesses', 'more', 'zone', 'complete'],
      hints: [true, false, false],
      security: anyOf(['patient/Patient.rs'], ['user/Patient.rs']),
    },
    {
      name: 'requestPrivacyAction',
      input: ['kind', 'words', 'about', 'patient'],
      required: ['kind'],
      output: ['outcome', 'request', 'page'],
      hints: [false, false, false],
      security: anyOf(['patient/Patient.rs'], ['user/Patient.rs']),
    },
    {
      name: 'getRequestStatus',
      input: ['requestId', 'patient'],
      required: [],
      output: ['requests', 'more', 'page'],
      hints: [true, false, false],
      security: anyOf(['patient/Patient.rs'], ['user/Patient.rs']),
    },
  ]);
});

test('no tool takes a tenant, an actor or a purpose, and every schema is closed', () => {
  for (const { inputSchema } of TOOL_LISTINGS) {
    const names = Object.keys(inputSchema.properties ?? {});
    expect(names.filter((name) => /tenant|actor|user|purpose|role/i.test(name))).toEqual([]);
    expect(inputSchema['additionalProperties']).toBe(false);
  }
});

test('each listing mirrors its security schemes in _meta', () => {
  for (const tool of TOOL_LISTINGS) {
    expect(tool._meta?.['securitySchemes']).toEqual(
      (tool as unknown as { securitySchemes: unknown }).securitySchemes,
    );
  }
});
