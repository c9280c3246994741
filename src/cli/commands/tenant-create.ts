import type { Composed } from '../../compose.ts';
import { createAccounts } from '../../dev/auth/accounts.ts';
import { DEMO_PASSWORD } from '../../dev/people.ts';
import { parseTenantId, parseUserId, randomId, type TenantId, type UserId } from '../../kernel/ids.ts';
import { createTenant } from '../../lifecycle/tenants/create-tenant.ts';
import { type Command, EXIT, UsageError } from '../command.ts';
import { composeHere } from '../here.ts';
import { out, table } from '../terminal.ts';

/** Makes a tenant, from its KMS key to its first administrator. */
export const tenantCreate: Command = {
  usage: 'TENANT --name NAME --phone PHONE --zone ZONE --admin UID|EMAIL [--key ARN]',
  summary:
    'make a tenant: key, alias, policy, index key, audit log, first administrator; --key brings its own',
  options: {
    name: { type: 'string' },
    phone: { type: 'string' },
    zone: { type: 'string' },
    admin: { type: 'string' },
    key: { type: 'string' },
  },
  run: async ({ values, positionals: [word, ...more], json }) => {
    if (word === undefined || more.length > 0)
      throw new UsageError('Name one tenant: chartseal tenant create TENANT …');
    const tenant = parseTenantId(word);
    const needed = (name: string): string => {
      const value = values[name];
      if (typeof value !== 'string' || value === '') throw new UsageError(`Give --${name}.`);
      return value;
    };
    const [name, phone, zone, who] = ['name', 'phone', 'zone', 'admin'].map(needed) as [
      string,
      string,
      string,
      string,
    ];
    const key = values['key'];
    const { composed, env } = await composeHere();
    try {
      const admin = await userOf(env, { who, tenant });
      const asked = { name, phone, zone, admin, ...(typeof key === 'string' && { keyId: key }) };
      const keyId = await createTenant(houseOf(composed), tenant, asked);
      const done = { tenant, keyId, admin, zone };
      out(json ? JSON.stringify(done) : report(done, composed));
      return EXIT.ok;
    } finally {
      await composed.close();
    }
  },
};

const houseOf = ({ store, services, keyring, secrets, indexKeys, admin, proof }: Composed) => ({
  ...{ store, audit: services.audit, keyring, secrets, indexKeys, keys: admin },
  enlistSigner:
    proof === null || admin === null
      ? null
      : async (tenant: TenantId) => {
          const keyId = await admin.signingKey(tenant);
          await proof.checkpoints.addSigner(tenant, {
            keyId,
            publicKey: await proof.signer.publicKey(keyId),
          });
        },
});

/** An address makes an account on the local stack; elsewhere accounts are Firebase's, and named by their uid. */
async function userOf(
  env: Readonly<Record<string, string | undefined>>,
  { who, tenant }: { who: string; tenant: TenantId },
): Promise<UserId> {
  if (!who.includes('@')) return parseUserId(who);
  const emulator = env['FIREBASE_AUTH_EMULATOR_HOST'];
  if (emulator === undefined)
    throw new UsageError(
      'Name the administrator by their Firebase uid; an address works on the local stack only.',
    );
  const userId = randomId('usr');
  await createAccounts({
    emulatorUrl: `http://${emulator}`,
    projectId: env['GCLOUD_PROJECT'] ?? '',
    accounts: [{ userId, email: who, password: DEMO_PASSWORD, tenant }],
  });
  return parseUserId(userId);
}

function report(
  { tenant, keyId, admin, zone }: { tenant: string; keyId: string; admin: string; zone: string },
  { proof }: Composed,
): string {
  return [
    `The tenant ${tenant} is there.`,
    table([
      ['wrapping key', keyId],
      ['first administrator', admin],
      ['zone', zone],
      [
        'audit log',
        proof === null ? 'begun; no place for checkpoints is configured' : 'begun, with a key that signs it',
      ],
    ]),
    `The administrator's Firebase account needs the custom claim {"tenant":"${tenant}"}.`,
  ].join('\n');
}
