import type { Tool } from './tool.ts';
import { cancelAppointment } from './tools/cancel-appointment.ts';
import { findOpenSlots } from './tools/find-open-slots.ts';
import { findPatient } from './tools/find-patient.ts';
import { getChartSummary } from './tools/get-chart-summary.ts';
import { getPatient } from './tools/get-patient.ts';
import { getRequestStatus } from './tools/get-request-status.ts';
import { joinWaitlist } from './tools/join-waitlist.ts';
import { listAppointments } from './tools/list-appointments.ts';
import { listChartAccess } from './tools/list-chart-access.ts';
import { listMedications } from './tools/list-medications.ts';
import { listVisitTypes } from './tools/list-visit-types.ts';
import { requestPrivacyAction } from './tools/request-privacy-action.ts';
import { rescheduleAppointment } from './tools/reschedule-appointment.ts';
import { scheduleAppointment } from './tools/schedule-appointment.ts';
import { setAppointmentStatus } from './tools/set-appointment-status.ts';
import { whoAmI } from './tools/who-am-i.ts';

/** Every tool, in the order of the tool list. */
export const TOOLS: readonly Tool[] = [
  whoAmI,
  findPatient,
  getPatient,
  listMedications,
  getChartSummary,
  listAppointments,
  listVisitTypes,
  findOpenSlots,
  scheduleAppointment,
  rescheduleAppointment,
  cancelAppointment,
  setAppointmentStatus,
  joinWaitlist,
  listChartAccess,
  requestPrivacyAction,
  getRequestStatus,
];
