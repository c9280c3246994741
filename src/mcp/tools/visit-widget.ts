import { z } from 'zod';
import type { Visit } from '../../clinic/appointment.ts';
import { calendarFile } from '../../clinic/calendar-file.ts';
import { type Clinic, findClinic } from '../../clinic/clinic.ts';
import type { ToolCall } from '../tool.ts';

/** What the widget adds for the person to answers about visits. */
export const visitWidget = z.object({
  clinic: z.object({ name: z.string(), phone: z.string() }),
  /** One iCalendar file for each visit shown. */
  calendars: z.array(z.object({ appointmentId: z.string(), file: z.string() })).optional(),
  /** Why, in the person's own words; for themselves alone. */
  reasons: z.array(z.object({ appointmentId: z.string(), reason: z.string() })).optional(),
});

/** Spreads into a {@link ToolResult}; empty when the host shows no widgets. */
export interface WithVisitWidget {
  readonly widget?: z.infer<typeof visitWidget>;
}

/** A visit, and when it was last changed (ms since the epoch). */
export interface CardVisit {
  readonly visit: Visit;
  readonly changedAt: number;
  /** Left out unless it is the person's own. */
  readonly reason?: string | null;
}

/** Makes the widget's part for visits. */
export type VisitCards = (visits?: readonly CardVisit[]) => WithVisitWidget;

/**
 * Reads what cards need before a write begins, so that the event inside its transaction can name their fields.
 *
 * @param known the clinic when it was read already.
 */
export async function visitCards(call: ToolCall, known?: Clinic): Promise<VisitCards> {
  if (!call.showsWidgets) return () => ({});
  const { name, phone } = known ?? (await findClinic(call.services.store, call.principal.tenant));
  const clinic = { name, phone };
  return (visits = []) => {
    const calendars = visits.map((one) => ({
      appointmentId: one.visit.appointmentId,
      file: calendarFile({ ...one, clinic }),
    }));
    const reasons = visits.flatMap(({ visit: { appointmentId }, reason }) =>
      reason == null ? [] : [{ appointmentId, reason }],
    );
    return {
      widget: {
        clinic,
        ...(calendars.length === 0 ? {} : { calendars }),
        ...(reasons.length === 0 ? {} : { reasons }),
      },
    };
  };
}
