import { z } from 'zod';
import type { Outside } from '../../audit/outside.ts';
import { type PatientId, parsePatientId, type TenantId } from '../../kernel/ids.ts';
import { ErasureError } from './errors.ts';

/** Who was erased, as it is kept outside the store: beside the checkpoints, where no restore of the store reaches. */
export interface OutsideTombstone {
  readonly patient: PatientId;
  readonly request: string;
  /** ms since the epoch */
  readonly erasedAt: number;
}

const stored = z.object({
  v: z.literal(1),
  patient: z.string(),
  request: z.string(),
  erasedAt: z.number().int(),
});
const MAX_TRIES = 20;

/** @throws AuditError `OUTSIDE_UNAVAILABLE` (retryable); ErasureError `ERASURE_OUTSIDE` when others are always faster. */
export async function putTombstoneOutside(
  outside: Outside,
  tenant: TenantId,
  { patient, request, erasedAt }: OutsideTombstone,
): Promise<void> {
  const bytes = Buffer.from(
    JSON.stringify({ v: 1, patient, request, erasedAt } satisfies z.infer<typeof stored>),
  );
  for (let turn = 1; turn <= MAX_TRIES; turn += 1) {
    const last = await outside.latest(tenant, 'tombstone');
    if (await outside.append(tenant, 'tombstone', (last?.number ?? 0) + 1, bytes)) return;
  }
  throw new ErasureError(
    'ERASURE_OUTSIDE',
    'The tombstone could not be put outside. The next round tries again.',
    {
      retryable: true,
    },
  );
}

/** Every tombstone outside, in the order in which they were put. */
export async function* tombstonesOutside(
  outside: Outside,
  tenant: TenantId,
): AsyncGenerator<OutsideTombstone> {
  for await (const bytes of outside.all(tenant, 'tombstone')) {
    const { patient, request, erasedAt } = stored.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    yield { patient: parsePatientId(patient), request, erasedAt };
  }
}
