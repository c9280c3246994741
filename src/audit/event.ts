import { hash } from 'node:crypto';
import type { JsonValue } from '../kernel/collection.ts';
import type { PatientAlias, TenantId } from '../kernel/ids.ts';

/**
 * One line of the audit log: who did what to whose chart, why, and how it ended. Names of fields and
 * compartments, never values. The terms follow FHIR R4 AuditEvent with IHE BALP 1.1.
 */
export interface AuditEvent {
  /** 128 random bits, `ev_…`. */
  readonly id: string;
  readonly tenant: TenantId;
  /** UTC, ISO 8601 with milliseconds. */
  readonly recorded: string;
  /** FHIR AuditEvent.action: create, read, update, delete, execute. */
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  /** The tool, page or job, such as `getPatient`. */
  readonly operation: string;
  /** FHIR AuditEvent.outcome: 0 success, 4 refused or bad input, 8 failure. */
  readonly outcome: '0' | '4' | '8';
  /** A stable code when the outcome is not 0. */
  readonly reason?: string;
  readonly actor: AuditActor;
  /** Whose chart; absent when no chart was found. */
  readonly patient?: PatientAlias;
  /** What was touched: a resource kind, its opaque id, and the names of what was released or written. */
  readonly entity?: AuditEntity;
  /** HL7 v3 PurposeOfUse, such as `PATRQT` or `TREAT`. */
  readonly purposeOfUse: string;
  /** The policy that decided. */
  readonly policy: string;
  /** Digests (SHA-256, base64url) of the sealed values written, by value id; `removed` for a removal. */
  readonly written?: { readonly revision: number; readonly digests: Readonly<Record<string, string>> };
  readonly writer: AuditWriterMark;
}

/** Who acted, and through which client. */
export interface AuditActor {
  readonly user: string;
  readonly role: string;
  readonly client: string;
}

/** What was touched. `fields` are names such as `clinical.medications`. */
export interface AuditEntity {
  readonly resource: string;
  readonly id?: string;
  readonly fields?: readonly string[];
  /** How many, by name: what a job did. Whole numbers only. */
  readonly counts?: Readonly<Record<string, number>>;
  /** Who received it, for a disclosure (45 CFR 164.528(b)(2)(ii)): an organisation or a person outside the clinic. */
  readonly recipient?: string;
  /** Where the recipient is, if known. Never the patient's own address. */
  readonly recipientAddress?: string;
}

/**
 * Which process wrote the event and its count there, and what that process learnt since its last event: leaf
 * hashes that were committed, and counts whose event was never committed. A count in neither is a lost event.
 */
export interface AuditWriterMark {
  readonly boot: string;
  readonly count: number;
  readonly confirmed: readonly string[];
  readonly abandoned: readonly number[];
}

/** The exact bytes of the event's leaf: JSON with sorted keys, UTF-8. Hashed and kept as they are. */
export function leafOf(event: AuditEvent): Buffer {
  return Buffer.from(canonical(event as unknown as JsonValue), 'utf8');
}

/** RFC 6962 §2.1: SHA-256(0x00 ‖ leaf). */
export function leafHash(leaf: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.of(0), leaf]), 'buffer');
}

function canonical(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item as JsonValue)).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const record = value as Record<string, JsonValue | undefined>;
  const members: string[] = [];
  for (const key of Object.keys(record).sort())
    if (record[key] !== undefined) members.push(`${JSON.stringify(key)}:${canonical(record[key])}`);
  return `{${members.join(',')}}`;
}
