import type { Tool } from './tool.ts';
import { findOpenSlots } from './tools/find-open-slots.ts';
import { getPatient } from './tools/get-patient.ts';
import { listVisitTypes } from './tools/list-visit-types.ts';
import { scheduleAppointment } from './tools/schedule-appointment.ts';
import { whoAmI } from './tools/who-am-i.ts';

/** Every tool, in the order of the tool list. */
export const TOOLS: readonly Tool[] = [
  whoAmI,
  getPatient,
  listVisitTypes,
  findOpenSlots,
  scheduleAppointment,
];
