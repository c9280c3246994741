import type { Appointment } from '../../clinic/appointment.ts';
import { chartOf, type ToolCall } from '../tool.ts';

/** Part of the description of tools whose work can be undone. */
export const UNDO_WORDS = 'For a minute the old time is kept: its undoSlotId takes it back.';

/** The slot that a visit just left, for whoever left it. Nothing when it is over. */
export async function undoFor(
  call: ToolCall,
  { visitType, practitioner, start, end }: Appointment,
): Promise<{ undoSlotId?: string }> {
  if (start <= call.now) return {};
  const holder = { ...chartOf(call), user: call.principal.user };
  const slot = { visitType, practitioner, start, end };
  return { undoSlotId: await call.services.slotTokens.issue(slot, holder, call.now) };
}
