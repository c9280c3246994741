import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Principal } from '../access/bearer.ts';
import { AccessError } from '../access/errors.ts';
import type { Facts, OpeningRows } from '../access/facts.ts';
import { type Decision, decide, isAboutChart, type Requirement } from '../access/policy.ts';
import type { AuditEntry } from '../audit/append.ts';
import type { PatientId } from '../kernel/ids.ts';
import { holdsCardNumber } from '../payments/card-number.ts';
import { PaymentError } from '../payments/errors.ts';
import { answerOf, errorAnswer } from './answers.ts';
import type { Question } from './asking.ts';
import { McpError } from './errors.ts';
import {
  type EntryDetails,
  fieldNames,
  type Services,
  type Tool,
  type ToolCall,
  type ToolResult,
} from './tool.ts';

/** Who calls, and what tools stand on. */
export interface Caller {
  readonly principal: Principal;
  readonly services: Services;
  /** The client declared MCP Apps for this request. Left out is no. */
  readonly showsWidgets?: boolean;
  /** Told when the call needs scopes that were not granted, for clients that read the challenge from HTTP. */
  readonly onStepUp?: (challenge: string) => void;
  /** Told what to put to the person, for clients that show forms; it says no more than the answer does. */
  readonly onQuestion?: (question: Question) => void;
}

type GatheredFacts = Facts & { readonly openings: OpeningRows };

/** What is known of a call so far; a refusal names it in its audit event. */
interface Progress {
  readonly facts: GatheredFacts | null;
  readonly decision: Decision | null;
}

/**
 * Every tool call takes this path, and no other leads to a chart: validate the input, gather facts, decide, count the
 * opening, run, minimise, commit the audit event naming what is about to be released, answer.
 *
 * @param caller who the access token proves; the arguments never choose tenant, actor or purpose.
 */
export async function callTool(tool: Tool, args: unknown, caller: Caller): Promise<CallToolResult> {
  let progress: Progress = { facts: null, decision: null };
  try {
    const input = validateInput(tool, args);
    const requirement = tool.requirementFor?.(input) ?? tool.requirement;
    const note = (known: Progress): void => {
      progress = known;
    };
    const { facts, decision } = await authorise(requirement, input, { ...caller, note });
    const showsWidgets = caller.showsWidgets === true;
    const result = await run(tool, input, { ...caller, showsWidgets, member: facts.member, decision });
    if (result.question !== undefined) caller.onQuestion?.(result.question);
    return answerOf(result);
  } catch (error) {
    await recordRefusal(tool, error, { ...caller, ...progress });
    return errorAnswer(tool, error, caller);
  }
}

/** Made once for each tool: a schema is compiled at its first use. */
const STRICT = new WeakMap<Tool, z.ZodType<Record<string, unknown>>>();

function strictInput(tool: Tool): z.ZodType<Record<string, unknown>> {
  const known = STRICT.get(tool) ?? z.strictObject(tool.input.shape);
  STRICT.set(tool, known);
  return known;
}

/** @throws McpError `INPUT` naming the fields that are wrong, never what was in them. */
function validateInput(tool: Tool, args: unknown): Record<string, unknown> {
  const parsed = strictInput(tool).safeParse(args ?? {});
  if (parsed.success) return refuseCards(parsed.data);
  throw new McpError('INPUT', describeIssues(tool, parsed.error));
}

/**
 * Whatever field it is in: a card number in a conversation goes no further.
 *
 * @throws PaymentError `CARD_IN_CHAT`.
 */
function refuseCards(input: Record<string, unknown>): Record<string, unknown> {
  if (!holdsCardNumber(JSON.stringify(input).replaceAll(/\\[nrtfb]/g, ' '))) return input;
  throw new PaymentError(
    'CARD_IN_CHAT',
    'That looks like a card number. Cards are never taken in a conversation: the person enters them on the clinic’s own ' +
      'page, /wallet. Do not repeat the number.',
  );
}

/**
 * Gathers, decides and counts. An opening that had to wait is decided again: what was permitted before may have been
 * withdrawn meanwhile.
 */
async function authorise(
  requirement: Requirement,
  input: Record<string, unknown>,
  caller: Caller & { note: (known: Progress) => void },
): Promise<{ facts: GatheredFacts; decision: Decision }> {
  const engine = await caller.services.policies.engine();
  for (;;) {
    const facts = await gather(requirement, input, caller);
    caller.note({ facts, decision: null });
    const decision = decide(requirement, { ...caller, facts, engine });
    caller.note({ facts, decision });
    if (!(await countOpening(caller, facts, decision))) return { facts, decision };
  }
}

/** Of all arguments only the handle of the patient reaches the decision, and only as a handle. */
function gather(
  requirement: Requirement,
  input: Record<string, unknown>,
  { principal, services }: Caller,
): Promise<GatheredFacts> {
  const asked = typeof input['patient'] === 'string' ? input['patient'] : null;
  return services.facts.gather(principal, {
    asked,
    aboutChart: isAboutChart(requirement),
    now: services.clock(),
  });
}

/** True when it had to wait. One's own chart is not counted: it is one chart. */
async function countOpening(
  { principal, services }: Caller,
  { member, openings }: GatheredFacts,
  { patient, relationship }: Decision,
): Promise<boolean> {
  if (patient === null || relationship === 'self') return false;
  const { tenant, user, client } = principal;
  const actor = { user, role: member?.role ?? 'none', client };
  return services.guard.admit({ tenant, patient, actor, rows: openings });
}

async function run(
  tool: Tool,
  input: Record<string, unknown>,
  call: Omit<ToolCall, 'audit' | 'now' | 'alsoOpen'>,
): Promise<ToolResult<Record<string, unknown>>> {
  const { principal, decision, services } = call;
  const draft = services.audit.draft(principal.tenant);
  const entry = (details: EntryDetails): AuditEntry => ({
    ...actOf(tool, call),
    outcome: '0',
    ...(details.patient === undefined ? {} : { patient: details.patient }),
    ...(details.written === undefined ? {} : { written: details.written }),
    entity: entityOf(tool, { ...details, widget: widgetPart(tool, details.widget, call) }),
    purposeOfUse: decision.purposeOfUse,
    policy: decision.policy,
  });
  let result: ToolResult<Record<string, unknown>>;
  try {
    const alsoOpen: ToolCall['alsoOpen'] = (patient, requirement) => openFound(call, patient, requirement);
    result = await tool.run(input, { ...call, alsoOpen, now: services.clock(), audit: { draft, entry } });
  } catch (error) {
    draft.abandon();
    throw error;
  }
  const minimised = minimise(tool, result, call);
  if (result.committed === true) {
    draft.confirm();
  } else {
    draft.abandon();
    for (const event of readEntries(tool, minimised, entry))
      await services.audit.append(principal.tenant, event);
  }
  return minimised;
}

/** Both tiers, cut to their schemas; the widget's is released to a host that shows widgets, and to no other (G10). */
function minimise(
  tool: Tool,
  { widget, ...result }: ToolResult<Record<string, unknown>>,
  call: Pick<ToolCall, 'showsWidgets'>,
): ToolResult<Record<string, unknown>> {
  const part = widgetPart(tool, widget, call);
  const output = tool.output.parse(result.output);
  return { ...result, output, ...(part === undefined ? {} : { widget: part }) };
}

function widgetPart(tool: Tool, widget: unknown, { showsWidgets }: Pick<ToolCall, 'showsWidgets'>) {
  return showsWidgets && widget !== undefined ? tool.widget?.parse(widget) : undefined;
}

/** A chart that a search found is decided about like one that was asked for; most that are found are not opened. */
async function openFound(
  caller: Caller,
  patient: PatientId,
  requirement: Requirement,
): Promise<Decision | null> {
  try {
    const { decision } = await authorise(requirement, { patient }, { ...caller, note: () => {} });
    return decision;
  } catch (error) {
    if (error instanceof AccessError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

/** One event; for a search one for each patient it answered with, and one if there was none (IHE BALP 1.1). */
function readEntries(
  tool: Tool,
  result: ToolResult<Record<string, unknown>>,
  entry: (details: EntryDetails) => AuditEntry,
): AuditEntry[] {
  const base = readEntry(tool, result, entry);
  if (result.patients === undefined || result.patients.length === 0) return [base];
  return result.patients.map(({ alias, decision: { policy, purposeOfUse } }) => {
    return { ...base, patient: alias, policy: `${base.policy} ${policy}`, purposeOfUse };
  });
}

function readEntry(
  tool: Tool,
  result: ToolResult<Record<string, unknown>>,
  entry: (details: EntryDetails) => AuditEntry,
): AuditEntry {
  const base = entry({
    output: result.output,
    widget: result.widget,
    id: result.resourceId,
    ...(result.patient === undefined ? {} : { patient: result.patient }),
  });
  const reads = tool.audit.action === 'R' || tool.audit.action === 'E';
  if (result.refused === undefined) return reads ? base : { ...base, action: 'R' };
  return { ...base, outcome: '4', reason: result.refused };
}

/** A refusal or a failure is an event too; when even that cannot be kept, the answer says so. */
async function recordRefusal(tool: Tool, error: unknown, call: Caller & Progress): Promise<void> {
  const { code, outcome } = McpError.describe(error);
  if (code === 'AUDIT_UNAVAILABLE') return;
  const { principal, services, facts, decision } = call;
  const patient = await aliasAfterPermit(call);
  const entry: AuditEntry = {
    ...actOf(tool, { principal, member: facts?.member ?? null }),
    outcome,
    reason: code,
    ...(patient === null ? {} : { patient }),
    entity: { resource: tool.audit.resource },
    purposeOfUse: decision?.purposeOfUse ?? 'UNKNOWN',
    policy: decision?.policy ?? (outcome === '4' ? 'deny-by-default' : 'none'),
  };
  await services.audit.append(principal.tenant, entry).catch(() => undefined);
}

/** Whose chart a failure concerns. Only after a permit: what was refused costs the same for every handle. */
async function aliasAfterPermit({ principal, services, decision }: Caller & Progress) {
  if (decision === null || decision.patient === null) return null;
  const of = { tenant: principal.tenant, patient: decision.patient };
  return services.patients.aliasOf(of).catch(() => null);
}

function actOf(tool: Tool, call: { principal: Principal; member: Facts['member'] }) {
  return {
    action: tool.audit.action,
    operation: tool.name,
    actor: { user: call.principal.user, role: call.member?.role ?? 'none', client: call.principal.client },
  };
}

function entityOf(tool: Tool, details: EntryDetails): NonNullable<AuditEntry['entity']> {
  const fields = [...fieldNames(details.output), ...fieldNames({ widget: details.widget })];
  return { resource: tool.audit.resource, ...(details.id === undefined ? {} : { id: details.id }), fields };
}

function describeIssues(tool: Tool, error: z.ZodError): string {
  const known = Object.keys(tool.input.shape);
  const fields = error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') return `an unknown field (known: ${known.join(', ') || 'none'})`;
    const field = String(issue.path[0] ?? 'the arguments');
    return known.includes(field) || issue.path.length === 0
      ? `${field} (${expected(issue)})`
      : 'an unknown field';
  });
  return `Check ${[...new Set(fields)].slice(0, 5).join('; ')}.`;
}

function expected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${issue.expected}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    case 'too_small':
      return `at least ${issue.minimum}`;
    case 'invalid_value':
      return `one of ${issue.values.join(', ')}`;
    default:
      return 'wrong form';
  }
}
