import type { AuditLog } from '../audit/append.ts';
import { type JsonValue, ref } from '../kernel/collection.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { Store, TimeSpan, Transaction } from '../kernel/store.ts';
import { isPublished, MAX_PUBLISHED, type PublishedHours } from './availability.ts';
import { practitioners, visitTypes } from './clinic.ts';
import { ClinicError } from './errors.ts';
import {
  type PublishedSchedule,
  readScheduleFiles,
  type ScheduleFile,
  type SourceFile,
} from './schedule-file.ts';

/** What an import of schedules did. */
export interface ImportedSchedules extends Pick<ScheduleFile, 'slots' | 'left'> {
  readonly people: readonly {
    readonly id: string;
    readonly outcome: 'added' | 'updated';
    /** Spans, merged and still ahead. */
    readonly free: number;
    readonly busy: number;
  }[];
}

/** Where schedules go, and who puts them there. */
export interface ScheduleTarget {
  readonly tenant: TenantId;
  readonly store: Store;
  readonly audit: AuditLog;
  /** The operator, as the audit log names them. */
  readonly by: string;
  readonly now: number;
  /** A visit type that everybody in the file offers from now on. */
  readonly visitType?: string | undefined;
}

const MAX_PEOPLE = 100;

/**
 * Makes published free time available and published busy time unavailable. What was published for somebody before is
 * replaced; their recurring hours stay. Everybody and the event in one transaction.
 *
 * @throws ClinicError `IMPORT_FORMAT`, `VISIT_TYPE_UNKNOWN`; then nothing was written.
 */
export async function importSchedules(
  files: readonly SourceFile[],
  into: ScheduleTarget,
): Promise<ImportedSchedules> {
  const { schedules, slots, left } = readScheduleFiles(files);
  const ahead = schedules.map((one) => aheadOf(one, into.now));
  checkSize(ahead);
  const draft = into.audit.draft(into.tenant);
  const entry = {
    action: 'U',
    operation: 'schedule import',
    outcome: '0',
    actor: { user: into.by, role: 'admin', client: 'chartseal' },
    entity: { resource: 'Schedule' },
    purposeOfUse: 'HOPERAT',
    policy: 'operator-import',
  } as const;
  try {
    const people = await into.store.tenant(into.tenant).transact(
      async (tx) => {
        const done = await putSchedules(tx, ahead, into.visitType);
        draft.write(tx, entry);
        return done;
      },
      { proof: draft.proof },
    );
    draft.confirm();
    return { people, slots, left };
  } catch (error) {
    draft.abandon();
    throw error;
  }
}

function aheadOf({ free, busy, ...rest }: PublishedSchedule, now: number): PublishedSchedule {
  const ahead = ({ to }: TimeSpan): boolean => to > now;
  return { ...rest, free: free.filter(ahead), busy: busy.filter(ahead) };
}

function checkSize(schedules: readonly PublishedSchedule[]): void {
  if (schedules.length > MAX_PEOPLE) throw refuse(`At most ${MAX_PEOPLE} people in one file`);
  if (schedules.some(({ free, busy }) => free.length + busy.length > MAX_PUBLISHED))
    throw refuse(`At most ${MAX_PUBLISHED} separate spans for one person; publish a shorter period`);
}

async function putSchedules(
  tx: Transaction,
  schedules: readonly PublishedSchedule[],
  visitType: string | undefined,
): Promise<ImportedSchedules['people']> {
  const rows = await tx.get(...schedules.map(({ id }) => ref(practitioners, id)));
  const [offered] = visitType === undefined ? [null] : await tx.get(ref(visitTypes, visitType));
  if (visitType !== undefined && offered === null)
    throw new ClinicError('VISIT_TYPE_UNKNOWN', 'There is no such visit type. Nothing was imported.');
  const nameless = schedules.filter(({ name }, index) => name === null && rows[index] === null);
  if (nameless.length > 0)
    throw refuse(`${nameless.length} people are neither at the clinic nor named in the file`);
  for (const [index, schedule] of schedules.entries()) {
    const before = rows[index] ?? null;
    const own = (before?.availability ?? []) as JsonValue[];
    const recurring = own.filter((rule) => !isPublished(rule));
    tx.put(ref(practitioners, schedule.id), {
      ...(before ?? { capacity: 1, overbook: 0, absences: [] }),
      name: before?.name ?? schedule.name ?? '',
      version: (before?.version ?? 0) + 1,
      availability: [...recurring, ...hoursOf(schedule)],
    });
  }
  if (visitType !== undefined && offered != null) {
    const who = [...new Set([...(offered.practitioners as string[]), ...schedules.map(({ id }) => id)])];
    tx.put(ref(visitTypes, visitType), { ...offered, practitioners: who });
  }
  return schedules.map(({ id, free, busy }, index) => ({
    id,
    outcome: rows[index] === null ? 'added' : 'updated',
    free: free.length,
    busy: busy.length,
  }));
}

function hoursOf({ free, busy }: PublishedSchedule): (PublishedHours & Record<string, JsonValue>)[] {
  const of = (status: 'free' | 'busy') => (span: TimeSpan) => ({
    ...{ status, start: new Date(span.from).toISOString(), end: new Date(span.to).toISOString() },
  });
  return [...free.map(of('free')), ...busy.map(of('busy'))];
}

const refuse = (what: string): ClinicError =>
  new ClinicError('IMPORT_FORMAT', `${what}. Nothing was imported.`);
