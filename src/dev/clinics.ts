import type { WeeklyHours } from '../clinic/clinic.ts';

/** A synthetic clinic of the local stack. */
export interface DemoClinic {
  readonly tenant: string;
  readonly name: string;
  readonly phone: string;
  readonly zone: string;
  readonly practitioners: readonly { id: string; name: string; hours: readonly WeeklyHours[] }[];
  readonly visitTypes: readonly {
    id: string;
    title: string;
    minutes: number;
    leadMinutes: number;
    preparation: string | null;
    practitioners: readonly string[];
  }[];
}

const weekdays = (from: string, to: string, days = [1, 2, 3, 4, 5]): WeeklyHours[] =>
  days.map((weekday) => ({ weekday, from, to }));

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
        hours: [...weekdays('09:00', '12:00'), ...weekdays('13:00', '17:00')],
      },
      { id: 'dr-osei', name: 'Dr. Kwame Osei', hours: weekdays('10:00', '15:00', [2, 4]) },
    ],
    visitTypes: [
      {
        id: 'diabetes-checkup',
        title: 'Diabetes checkup',
        minutes: 30,
        leadMinutes: 60,
        preparation: 'Bring your glucose log. No food for eight hours before; water is fine.',
        practitioners: ['dr-chen', 'dr-osei'],
      },
      {
        id: 'general-visit',
        title: 'General visit',
        minutes: 20,
        leadMinutes: 60,
        preparation: null,
        practitioners: ['dr-chen'],
      },
      {
        id: 'vaccination',
        title: 'Vaccination',
        minutes: 15,
        leadMinutes: 60,
        preparation: 'Wear short sleeves.',
        practitioners: ['dr-osei'],
      },
    ],
  },
  {
    tenant: 'lakeside',
    name: 'Lakeside Health',
    phone: '+1-312-555-0100',
    zone: 'America/Chicago',
    practitioners: [{ id: 'dr-novak', name: 'Dr. Petra Novak', hours: weekdays('08:00', '14:00') }],
    visitTypes: [
      {
        id: 'asthma-review',
        title: 'Asthma review',
        minutes: 30,
        leadMinutes: 60,
        preparation: null,
        practitioners: ['dr-novak'],
      },
    ],
  },
];
