/** A synthetic person who can sign in. */
export interface DemoAccount {
  /** The account's uid, and so the `sub` of its tokens. */
  readonly userId: string;
  readonly email: string;
  readonly password: string;
  /** The clinic it belongs to, kept as the custom claim `tenant`; an account without one cannot connect anything. */
  readonly tenant?: string;
}

const DEADLINE_MS = 10_000;

/**
 * Creates the accounts in the Auth emulator, or makes those that exist look like this.
 *
 * @throws Error with the emulator's own code.
 */
export async function createAccounts(options: {
  emulatorUrl: string;
  projectId: string;
  accounts: readonly DemoAccount[];
}): Promise<void> {
  const base = `${options.emulatorUrl}/identitytoolkit.googleapis.com/v1/projects/${options.projectId}`;
  for (const { userId, email, password, tenant } of options.accounts) {
    const customAttributes = JSON.stringify(tenant === undefined ? {} : { tenant });
    const created = await post(`${base}/accounts`, { localId: userId, email, password });
    if (created !== null && created !== 'DUPLICATE_LOCAL_ID')
      throw new Error(`No account was made: ${created}`);
    const updated = await post(`${base}/accounts:update`, {
      localId: userId,
      email,
      password,
      customAttributes,
    });
    if (updated !== null) throw new Error(`The account was not updated: ${updated}`);
  }
}

/** Null when it worked, else the emulator's code. */
async function post(address: string, body: unknown): Promise<string | null> {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer owner' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const answer = (await response.json()) as { error?: { message: string } };
  return response.ok ? null : (answer.error?.message ?? String(response.status));
}
