import { z } from 'zod';
import { findClinic } from '../../clinic/clinic.ts';
import { CONSENT_CHANGES, REQUEST_KINDS, WORDS_LENGTH } from '../../lifecycle/requests/request.ts';
import type { Asked } from '../../lifecycle/requests/requests.ts';
import { chartOf, defineTool, type ToolResult } from '../tool.ts';
import { patientArgument } from './arguments.ts';
import { shownRequest, spellRequest } from './privacy-words.ts';

const output = z.object({
  outcome: z.enum(['started', 'alreadyOpen']),
  request: shownRequest,
  page: z.string(),
});
type Output = z.infer<typeof output>;

/** Starts what a person may ask about their data. It finishes on our own page, after a fresh sign-in, and nowhere else. */
export const requestPrivacyAction = defineTool({
  name: 'requestPrivacyAction',
  title: 'Start a privacy request',
  description:
    'Starts one request about the person’s data: export (a copy of everything), erasure, correction (with words), or consent ' +
    '(with about). It completes none: nothing is sent, deleted or changed until the person confirms it on the page of the ' +
    'answer, signed in afresh. Say so, and give the address. For "send me everything, then delete it" start both.',
  input: z.object({
    kind: z.enum(REQUEST_KINDS),
    words: z
      .string()
      .min(WORDS_LENGTH.min)
      .max(WORDS_LENGTH.max)
      .optional()
      .describe('Only for a correction: what is wrong, in the person’s own words'),
    about: z.enum(CONSENT_CHANGES).optional().describe('Only for consent'),
    patient: patientArgument,
  }),
  output,
  shownBy: 'privacy',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  audit: { action: 'C', resource: 'Task' },
  onError: 'Not started. Nothing was changed.',
  requirement: { actions: ['request-privacy'] },
  run: async ({ kind, words = null, about = null }, call): Promise<ToolResult<Output>> => {
    const { principal, services, now, audit } = call;
    const { zone } = await findClinic(services.store, principal.tenant);
    const page = services.privacyUrl;
    const answer = (outcome: Output['outcome'], { request }: Asked): Output => {
      return { outcome, request: spellRequest(request, zone), page };
    };
    const started = await services.requests.start({
      ...{ of: chartOf(call), user: principal.user, kind, about, words, now },
      audit: {
        draft: audit.draft,
        write: (tx, asked) => {
          const { alias, request, written } = asked;
          const entry = { patient: alias, id: request.id, ...(written === undefined ? {} : { written }) };
          audit.draft.write(tx, audit.entry({ ...entry, output: answer('started', asked) }));
        },
      },
    });
    const fresh = started.outcome === 'asked';
    const said = fresh ? 'Started, not finished' : 'The same request is open already';
    return {
      output: answer(fresh ? 'started' : 'alreadyOpen', started),
      text: `${said}: nothing was sent, deleted or changed. The person signs in at ${page} to go on.`,
      patient: started.alias,
      resourceId: started.request.id,
      committed: fresh,
    };
  },
});
