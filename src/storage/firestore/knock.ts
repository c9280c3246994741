import { SYSTEM_TENANT, type TenantId } from '../../kernel/ids.ts';

const DEADLINE_MS = 5_000;

/** At which database to knock. */
export interface Knock {
  readonly projectId: string;
  readonly tenant: TenantId;
  /** `host:port`; FIRESTORE_EMULATOR_HOST unless given, and Google's own address without either. */
  readonly emulatorHost?: string | undefined;
}

/**
 * Reads as a browser without credentials would: one document and one list, of the registry and of a tenant. Asks for what
 * need not be there: a database that answers "not found" has let the reader in.
 *
 * @returns the HTTP status by path; null when nothing answered.
 */
export async function knockAtFirestore({
  projectId,
  tenant,
  emulatorHost: emulator = process.env['FIRESTORE_EMULATOR_HOST'],
}: Knock): Promise<Readonly<Record<string, number>> | null> {
  const host = emulator ? `http://${emulator}` : 'https://firestore.googleapis.com';
  const root = `${host}/v1/projects/${projectId}/databases/(default)/documents`;
  const paths = [
    `tenants/${SYSTEM_TENANT}`,
    `tenants/${tenant}/members/nobody`,
    `tenants/${tenant}/members`,
    `tenants/${tenant}/chartValues`,
  ];
  const statuses = await Promise.all(paths.map((path) => statusOf(`${root}/${path}?pageSize=1`)));
  const answered = paths.flatMap((path, at): [string, number][] => {
    const status = statuses[at] ?? null;
    return status === null ? [] : [[path, status]];
  });
  return answered.length === 0 ? null : Object.fromEntries(answered);
}

/** The body is never read. */
async function statusOf(url: string): Promise<number | null> {
  try {
    const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(DEADLINE_MS) });
    await answer.body?.cancel();
    return answer.status;
  } catch {
    return null;
  }
}
