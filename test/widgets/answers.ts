import type { HostResult } from './host-page.ts';

/** Answers as the tools give them, to synthetic people. */

export const CLINIC = { name: 'Riverside Family Clinic', phone: '+1-617-555-0100' };
export const FILE =
  'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nSUMMARY:Visit at Riverside Family Clinic\r\nEND:VCALENDAR';
/** Marks what only the person may see. */
export const FOR_THE_PERSON = 'thirsty all the time';

export function answer(
  structuredContent: Record<string, unknown>,
  { text = 'The tool says so.', widget = { clinic: CLINIC } as Record<string, unknown> } = {},
): HostResult {
  return {
    content: [{ type: 'text', text }],
    structuredContent,
    _meta: { 'chartseal/widget': widget },
  };
}

export const failure = (text: string, meta: Record<string, unknown> = {}): HostResult => ({
  isError: true,
  content: [{ type: 'text', text }],
  _meta: meta,
});

const slot = (slotId: string, date: string, time: string, practitioner = 'Dr. Mei Chen') => ({
  ...{ slotId, date, time, practitioner, weekday: 'Tuesday' },
});
export const SLOTS = [
  slot('s1', '2026-12-01', '09:00'),
  slot('s2', '2026-12-01', '09:30'),
  slot('s3', '2026-12-01', '10:00', 'Dr. Kwame Osei'),
  slot('s4', '2026-12-02', '14:00'),
];
export const OPEN = answer({
  ...{ visitType: 'diabetes-checkup', title: 'Diabetes checkup', zone: 'America/New_York' },
  ...{ slots: SLOTS, more: 0 },
});

export const VISIT = {
  appointmentId: 'apt_AAAAAAAAAAAAAAAAAAAAAA',
  status: 'booked',
  visitType: 'diabetes-checkup',
  title: 'Diabetes checkup',
  practitioner: 'Dr. Mei Chen',
  minutes: 30,
  location: 'Main Street clinic',
  preparation: 'Bring your glucose log. No food for eight hours before; water is fine.',
  start: '2026-12-01T09:30:00-05:00',
  weekday: 'Tuesday',
  date: '2026-12-01',
  time: '09:30',
  zone: 'America/New_York',
};
export const FOR_VISIT = {
  clinic: CLINIC,
  calendars: [{ appointmentId: VISIT.appointmentId, file: FILE }],
  reasons: [{ appointmentId: VISIT.appointmentId, reason: FOR_THE_PERSON }],
};
export const BOOKED_TEXT = 'Booked: Diabetes checkup on Tuesday, 2026-12-01 at 09:30 (America/New_York).';
export const BOOKED = answer(
  { outcome: 'booked', appointment: VISIT },
  { text: BOOKED_TEXT, widget: FOR_VISIT },
);
export const LISTED = answer(
  { appointments: [VISIT], more: 0, waiting: [], zone: VISIT.zone },
  { text: 'Visits ahead: 1 recorded.', widget: FOR_VISIT },
);
export const FOUND = answer(
  {
    outcome: 'found',
    patients: [
      { patient: 'pat_one', name: 'Maria Ruiz', birthDate: '1980-02-29' },
      { patient: 'pat_two', name: 'Maria Ruiz', birthDate: '1980-02-29' },
    ],
  },
  {
    text: '2 found. Confirm name and birth date.',
    widget: {
      patients: [
        { patient: 'pat_one', gender: 'female', phoneEnding: '0142', city: 'Boston' },
        { patient: 'pat_two', gender: 'female', phoneEnding: '0177', city: 'Quincy' },
      ],
    },
  },
);
const part = (...texts: string[]) => ({
  items: texts.map((text) => ({ text: `«${text}»`, date: '2025-03-01', status: 'active' })),
  total: texts.length + 2,
});
export const SUMMARY = answer({
  patient: { name: 'John Doe', birthDate: '1968-04-12', age: 58 },
  visit: VISIT,
  reason: `«${FOR_THE_PERSON}»`,
  conditions: part('Type 2 diabetes mellitus', 'Hypertension'),
  medications: part('Metformin 500 mg'),
  allergies: { items: [], total: 0 },
  results: part('Hemoglobin A1c 7.1 %'),
  note: '',
});
const PAGE = 'https://clinic.example/privacy';
const asked = (kind: string, next: string, more: object = {}) => ({
  ...{ requestId: `prq_${kind}`, kind, state: 'asked', asked: '2026-11-22', next, ...more },
});
export const REQUESTS = answer(
  {
    requests: [
      asked('erasure', 'Approved. It can still be withdrawn on the page.', { until: '2026-12-05' }),
      asked('consent', 'Done.', { about: 'sensitive.withdrawn' }),
      asked('correction', 'The clinic looks at it.', { answerBy: '2026-12-22' }),
      asked('export', 'Ready. Download it on the page.', { until: '2026-11-30' }),
    ],
    more: 0,
    page: PAGE,
  },
  { text: '4 recorded.', widget: {} },
);
export const STARTED = answer(
  {
    outcome: 'started',
    request: asked('erasure', 'Not confirmed yet. Sign in on the page and confirm it.', {
      until: '2026-11-29',
    }),
    page: PAGE,
  },
  { text: 'Started, not finished.', widget: {} },
);
export const ACCESSES = answer(
  {
    accesses: [
      {
        date: '2026-11-23',
        time: '14:05',
        who: 'Dr. Mei Chen',
        what: 'read your conditions',
        why: 'treatment',
      },
      { date: '2026-11-20', time: '09:12', who: 'Front desk', what: 'changed a visit' },
    ],
  },
  { text: 'Two openings in the last 90 days.', widget: {} },
);
