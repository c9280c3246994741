import { z } from 'zod';
import { notFound } from '../../access/errors.ts';
import { findClinic } from '../../clinic/clinic.ts';
import { chartOf, defineTool } from '../tool.ts';
import { patientArgument } from './arguments.ts';
import { shownRequest, spellRequest } from './privacy-words.ts';

const SHOWN = 5;

/** How requests about a person's data stand. */
export const getRequestStatus = defineTool({
  name: 'getRequestStatus',
  title: 'Privacy requests',
  description:
    'How requests about the person’s data stand (export, erasure, correction, consent): the one of requestId, or the ' +
    'newest five. A file that is ready is downloaded on the page of the answer, never here.',
  input: z.object({
    requestId: z.string().min(1).max(64).optional().describe('From requestPrivacyAction'),
    patient: patientArgument,
  }),
  output: z.object({ requests: z.array(shownRequest), more: z.number().int(), page: z.string() }),
  shownBy: 'privacy',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'R', resource: 'Task' },
  onError: 'Not available.',
  requirement: { actions: ['request-privacy'] },
  run: async ({ requestId }, call) => {
    const of = chartOf(call);
    const { store, patients, requests, privacyUrl: page } = call.services;
    const [alias, { zone }, all] = await Promise.all([
      patients.aliasOf(of),
      findClinic(store, of.tenant),
      requestId === undefined
        ? requests.list(of, call.now)
        : requests.find(of, requestId, call.now).then((one) => [one]),
    ]);
    if (alias === null) throw notFound();
    const shown = all.slice(0, SHOWN).map((view) => spellRequest(view, zone));
    return {
      output: { requests: shown, more: all.length - shown.length, page },
      text: all.length === 0 ? 'No request is recorded.' : `${all.length} recorded.`,
      patient: alias,
      ...(requestId === undefined ? {} : { resourceId: requestId }),
    };
  },
});
