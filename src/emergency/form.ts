import { z } from 'zod';
import {
  EMERGENCY_MINUTES,
  EMERGENCY_REASONS,
  type EmergencyMinutes,
  type EmergencyReason,
  REASON_LENGTH,
} from '../access/emergency.ts';
import { type EmergencyVerdict, VERDICTS } from '../access/emergency-reviews.ts';
import { readWho, WHO_ADVICE, type Who } from '../oauth/patient-search.ts';
import { EmergencyError } from './errors.ts';

/** The form that opens a chart, as it was sent. */
export interface EmergencyForm {
  readonly who: Who;
  readonly reason: EmergencyReason;
  readonly words: string;
  readonly minutes: EmergencyMinutes;
}

const text = (max: number) => z.string().trim().max(max);
const fields = z.object({
  reason: z.enum(Object.keys(EMERGENCY_REASONS) as [EmergencyReason, ...EmergencyReason[]]),
  words: text(REASON_LENGTH.max).min(REASON_LENGTH.min),
  minutes: z.coerce
    .number()
    .refine((value): value is EmergencyMinutes => EMERGENCY_MINUTES.some((minutes) => minutes === value)),
});

/** @throws EmergencyError `FORM` with a sentence for the person that repeats nothing of what was typed. */
export function readEmergencyForm(form: URLSearchParams): EmergencyForm {
  const named = Object.fromEntries(Object.keys(fields.shape).map((name) => [name, form.get(name) ?? '']));
  const parsed = fields.safeParse(named);
  if (!parsed.success) {
    const wrong = new Set(parsed.error.issues.map((issue) => issue.path[0]));
    throw new EmergencyError(
      'FORM',
      wrong.has('words')
        ? `Say in your own words why, in ${REASON_LENGTH.min} to ${REASON_LENGTH.max} characters.`
        : 'Choose a reason and how long.',
    );
  }
  const { reason, words, minutes } = parsed.data;
  const who = readWho(form);
  if (who === null) throw new EmergencyError('FORM', WHO_ADVICE);
  return { who, reason, words, minutes: minutes as EmergencyMinutes };
}

/** @throws EmergencyError `FORM`. */
export function readVerdict(form: URLSearchParams): EmergencyVerdict {
  const verdict = VERDICTS.find((one) => one === form.get('verdict'));
  if (verdict === undefined) throw new EmergencyError('FORM', 'Choose what you found.');
  return verdict;
}
