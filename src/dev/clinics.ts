import type { AvailabilityRule } from '../clinic/availability.ts';
import type { ClinicSetup } from '../clinic/tenants.ts';

/** A synthetic clinic of the local stack. */
export interface DemoClinic extends Omit<ClinicSetup, 'clinic'> {
  readonly tenant: string;
  readonly name: string;
  readonly phone: string;
  readonly zone: string;
}

const SINCE = '2026-01-05';
const weekdays = (from: string, to: string, days = 'MO,TU,WE,TH,FR'): AvailabilityRule => ({
  rrule: `FREQ=WEEKLY;BYDAY=${days}`,
  since: SINCE,
  from,
  to,
});

export const DEMO_CLINICS: readonly DemoClinic[] = [
  {
    tenant: 'riverside',
    name: 'Riverside Family Clinic',
    phone: '+1-617-555-0100',
    zone: 'America/New_York',
    practitioners: [
      {
        id: 'dr-chen',
        name: 'Dr. Mei Chen',
        availability: [weekdays('09:00', '12:00'), weekdays('13:00', '17:00')],
        overbook: 1,
      },
      { id: 'dr-osei', name: 'Dr. Kwame Osei', availability: [weekdays('10:00', '15:00', 'TU,TH')] },
    ],
    locations: [
      { id: 'main-street', name: 'Main Street clinic', address: '12 Main Street, Boston' },
      { id: 'room-1', name: 'Treatment room 1, Main Street clinic' },
      { id: 'room-2', name: 'Treatment room 2, Main Street clinic' },
    ],
    holidays: ['2026-12-25', '2027-01-01'],
    visitTypes: [
      {
        id: 'diabetes-checkup',
        title: 'Diabetes checkup',
        minutes: 30,
        preparation: 'Bring your glucose log. No food for eight hours before; water is fine.',
        practitioners: ['dr-chen', 'dr-osei'],
        location: 'main-street',
      },
      {
        id: 'general-visit',
        title: 'General visit',
        minutes: 20,
        practitioners: ['dr-chen'],
        location: 'main-street',
      },
      {
        id: 'vaccination',
        title: 'Vaccination',
        minutes: 15,
        preparation: 'Wear short sleeves.',
        practitioners: ['dr-osei'],
        rooms: ['room-1', 'room-2'],
      },
      {
        id: 'video-consultation',
        title: 'Video consultation',
        minutes: 15,
        bufferAfter: 5,
        telehealth: true,
        practitioners: ['dr-chen'],
      },
      {
        id: 'minor-surgery',
        title: 'Minor surgery',
        minutes: 60,
        bufferBefore: 15,
        bufferAfter: 15,
        preparation: 'Do not drive yourself home.',
        practitioners: ['dr-chen'],
        rooms: ['room-1'],
        bookableBy: ['staff'],
      },
    ],
  },
  {
    tenant: 'lakeside',
    name: 'Lakeside Health',
    phone: '+1-312-555-0100',
    zone: 'America/Chicago',
    practitioners: [{ id: 'dr-novak', name: 'Dr. Petra Novak', availability: [weekdays('08:00', '14:00')] }],
    visitTypes: [
      {
        id: 'asthma-review',
        title: 'Asthma review',
        minutes: 30,
        practitioners: ['dr-novak'],
      },
    ],
  },
];
