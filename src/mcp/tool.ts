import type { z } from 'zod';
import type { Principal } from '../access/bearer.ts';
import type { FactReader } from '../access/facts.ts';
import type { OpeningGuard } from '../access/guard.ts';
import type { Member } from '../access/members.ts';
import type { Decision, Requirement } from '../access/policy.ts';
import type { Policies } from '../access/policy-engine.ts';
import type { AuditDraft, AuditEntry, AuditLog } from '../audit/append.ts';
import type { Bookings } from '../clinic/booking.ts';
import type { Booker } from '../clinic/clinic.ts';
import type { ConfirmTokens } from '../clinic/confirm-token.ts';
import type { Patients } from '../clinic/patients.ts';
import type { SlotTokens } from '../clinic/slot-token.ts';
import type { VisitReader } from '../clinic/visits.ts';
import type { Waitlist } from '../clinic/waitlist.ts';
import type { PatientIndex } from '../crypto/patient-index.ts';
import type { PatientRef } from '../crypto/patient-keys.ts';
import type { Clock } from '../kernel/clock.ts';
import type { PatientAlias, PatientId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import type { Requests } from '../lifecycle/requests/requests.ts';
import type { Question } from './asking.ts';
import type { WidgetName, WidgetPages } from './widget-pages.ts';

/** What tools stand on. Composed once for the process. */
export interface Services {
  readonly store: Store;
  readonly patients: Patients;
  readonly bookings: Bookings;
  readonly visits: VisitReader;
  readonly waitlist: Waitlist;
  readonly requests: Requests;
  readonly slotTokens: SlotTokens;
  readonly confirmTokens: ConfirmTokens;
  readonly index: PatientIndex;
  readonly audit: AuditLog;
  readonly facts: FactReader;
  readonly policies: Policies;
  readonly guard: OpeningGuard;
  readonly clock: Clock;
  readonly widgets: WidgetPages;
  /** Where a client learns how to sign in (RFC 9728). */
  readonly resourceMetadataUrl: string;
  /** Where clinicians ask for access in an emergency; every refusal of a chart names it. */
  readonly emergencyUrl: string;
  /** Our own page on which people finish what they ask about their data. */
  readonly privacyUrl: string;
  /** Our own page on which documents are brought and opened. */
  readonly documentsUrl: string;
}

/** One authorised call of a tool. */
export interface ToolCall {
  readonly principal: Principal;
  readonly member: Member | null;
  readonly decision: Decision;
  readonly services: Services;
  readonly now: number;
  /** The client declared MCP Apps: what the widget adds is released to it. Otherwise tools need not gather it. */
  readonly showsWidgets: boolean;
  /**
   * For a tool that finds charts: decides about one of them as the pipeline decides about the one that is asked
   * for, and counts the opening. Null when it is not the caller's to see.
   */
  readonly alsoOpen: (patient: PatientId, requirement: Requirement) => Promise<Decision | null>;
  /** For a tool that writes: puts its event into the transaction of what it writes. */
  readonly audit: { readonly draft: AuditDraft; readonly entry: (details: EntryDetails) => AuditEntry };
}

/** What a tool adds to its audit event. */
export type EntryDetails = Pick<AuditEntry, 'patient' | 'written'> & {
  readonly id?: string | undefined;
  /** The output about to be released; its field names go into the event. */
  readonly output: unknown;
  /** What the widget adds to it. */
  readonly widget?: unknown;
};

/** What a tool answers. */
export interface ToolResult<Output> {
  readonly output: Output;
  /**
   * What the widget adds for the person: it reaches the host and not the model, and only a client that declared MCP
   * Apps gets it. Cut to {@link Tool.widget}.
   */
  readonly widget?: Readonly<Record<string, unknown>>;
  /** One or two sentences for the model; the rest is in `output`. */
  readonly text: string;
  readonly patient?: PatientAlias;
  /** Every chart that a search answered with: each gets an event of its own (IHE BALP). */
  readonly patients?: readonly { readonly alias: PatientAlias; readonly decision: Decision }[];
  readonly resourceId?: string;
  /** True when the tool committed its own event with what it wrote. */
  readonly committed?: boolean;
  /** A code when the answer is a polite no (a slot was taken). */
  readonly refused?: string;
  /** The same choices as `output` has, for a client that puts them before the person itself. */
  readonly question?: Question;
}

/** One tool: what the model reads, what goes in and out, what it needs, and what it does. */
export interface Tool<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: I;
  readonly output: O;
  /** The schema of what the widget adds. Without one nothing is added. */
  readonly widget?: z.ZodObject;
  /** The argument that a {@link ToolResult.question} of this tool asks for. */
  readonly asksFor?: string;
  /** Which widget shows the answer. */
  readonly shownBy?: WidgetName;
  readonly annotations: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly idempotentHint: boolean;
    readonly openWorldHint: boolean;
  };
  /** FHIR AuditEvent.action, and the resource that the event names. */
  readonly audit: { readonly action: 'C' | 'R' | 'U' | 'D' | 'E'; readonly resource: string };
  /** How an error of this tool begins, so that nobody wonders whether something happened. */
  readonly onError: string;
  /** What the tool does, at the least; the tool list advertises the scopes that it takes. */
  readonly requirement: Requirement;
  /** The policies open it to staff alone, so the list asks for staff's scopes. */
  readonly staffOnly?: boolean;
  /** What this very call needs, when that depends on its input. */
  readonly requirementFor?: (input: z.infer<I>) => Requirement;
  readonly run: (input: z.infer<I>, call: ToolCall) => Promise<ToolResult<z.infer<O>>>;
}

/** Keeps a tool's own input and output types. */
export function defineTool<I extends z.ZodObject, O extends z.ZodObject>(tool: Tool<I, O>): Tool {
  return tool as unknown as Tool;
}

/** The chart that the decision opened. The pipeline guarantees it for tools with an action about one. */
export function chartOf(call: ToolCall): PatientRef {
  if (call.decision.patient === null) throw new TypeError('The tool asks for a chart but requires none.');
  return { tenant: call.principal.tenant, patient: call.decision.patient };
}

/** On which side of the desk the caller stands; the clinic's rules differ. */
export function bookerOf({ member }: ToolCall): Booker {
  return member?.role === 'clinician' || member?.role === 'frontdesk' ? 'staff' : 'patient';
}

/** The names of the fields in an output, such as `conditions.items.text`; never a value. */
export function fieldNames(output: unknown): string[] {
  const names = new Set<string>();
  collect(output, '', names);
  return [...names].sort();
}

function collect(value: unknown, path: string, names: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, path, names);
  } else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value))
      collect(item, path === '' ? key : `${path}.${key}`, names);
  } else if (value !== undefined && path !== '') {
    names.add(path);
  }
}
