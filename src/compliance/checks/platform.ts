import { type Check, cannotTell, count, judge } from '../check.ts';

/** The oldest version of TLS that is taken. */
export const TLS_FLOOR = '1.2';
const YEAR_S = 31_536_000;
const ODD_REDIRECT = /[*]|^(?!https:\/\/)/;
/** Certificates that renew themselves do so a month before. */
const LEAST_DAYS_LEFT = 14;
/** PostgreSQL 14 got its last update in November 2026. */
const OLDEST_POSTGRES = 15;
/** Different characters in a secret of 32. */
export const LEAST_DISTINCT = 10;

/** What the house stands on: transport, database, secrets. */
export const PLATFORM: readonly Check[] = [
  {
    id: 'production-mode',
    title: 'The configuration is one for production',
    method: 'EXAMINE',
    remedy: 'Unset CHARTSEAL_ENV=development.',
    run: ({ config: { development } }) =>
      judge(!development, {
        yes: 'It runs as production: defaults and exemptions of development are refused at the start.',
        no: 'It runs as development: exemptions are possible that production refuses.',
        evidence: { development },
      }),
  },
  {
    id: 'emulators-off',
    title: 'No part of it is an emulator',
    method: 'EXAMINE',
    remedy: 'Unset the named variables.',
    run: ({ config: { emulators } }) =>
      judge(emulators.length === 0, {
        yes: 'No emulator variable is set.',
        no: `Set: ${emulators.join(', ')}.`,
        evidence: { set: [...emulators] },
      }),
  },
  {
    id: 'no-static-aws-keys',
    title: 'No long-lived AWS secret is stored',
    method: 'EXAMINE',
    remedy: 'Remove the keys, and set CHARTSEAL_AWS_ROLE: the function’s own identity assumes it.',
    run: ({ config: { staticAwsKeys, usesWebIdentity, kms } }) =>
      judge(staticAwsKeys.length === 0, {
        yes:
          usesWebIdentity || kms !== 'aws'
            ? 'AWS is reached by an assumed role.'
            : 'No static AWS key is in the environment.',
        no: `A static AWS key is in ${staticAwsKeys.join(', ')}.`,
        evidence: { variables: [...staticAwsKeys], usesWebIdentity },
      }),
  },
  {
    id: 'https-origin',
    title: 'The public address is https',
    method: 'EXAMINE',
    remedy: 'Set CHARTSEAL_ORIGIN to the https address.',
    run: ({ config: { origin } }) =>
      judge(origin.startsWith('https://'), {
        yes: 'The issuer and every address derive from an https origin.',
        no: 'The origin is not https.',
        evidence: { origin },
      }),
  },
  {
    id: 'tls-floor',
    title: `TLS below ${TLS_FLOOR} is refused`,
    method: 'TEST',
    remedy: `Set the load balancer’s TLS policy to ${TLS_FLOOR} or newer.`,
    run: ({ transport }) =>
      transport === null
        ? cannotTell(
            'The origin was not reached over TLS. Try it with: openssl s_client -tls1_1 -connect HOST:443',
          )
        : judge(
            transport.accepted.length > 0 && !transport.accepted.some((one) => /^TLSv1(?:\.1)?$/.test(one)),
            {
              yes: `Accepted: ${transport.accepted.join(', ')}; refused: ${transport.refused.join(', ')}.`,
              no: `Accepted: ${transport.accepted.join(', ') || 'none'}.`,
              evidence: { accepted: [...transport.accepted], refused: [...transport.refused] },
            },
          ),
  },
  {
    id: 'certificate',
    title: 'The certificate is good for the address, and not about to end',
    method: 'TEST',
    remedy: 'Renew the certificate, or put the right one in front of the address.',
    run: ({ transport }) => {
      if (transport === null) return cannotTell('The origin was not reached over TLS.');
      const { problem, daysLeft } = transport.certificate;
      return judge(problem === null && daysLeft >= LEAST_DAYS_LEFT, {
        yes: `It is trusted, and lasts another ${count(daysLeft, 'day')}.`,
        no: problem === null ? `It ends in ${count(daysLeft, 'day')}.` : `It is not trusted (${problem}).`,
        evidence: { problem, daysLeft },
      });
    },
  },
  {
    id: 'strict-transport',
    title: 'Browsers are told to use https alone, for a year or longer',
    method: 'TEST',
    remedy: 'Let the server’s Strict-Transport-Security header through.',
    run: ({ transport }) => {
      if (transport === null) return cannotTell('The origin was not reached over TLS.');
      const age = Number(/max-age=(\d+)/.exec(transport.strictTransport ?? '')?.[1] ?? 0);
      return judge(age >= YEAR_S, {
        yes: `Strict-Transport-Security lasts ${Math.floor(age / 86_400)} days.`,
        no: 'Strict-Transport-Security is missing or short.',
        evidence: { header: transport.strictTransport },
      });
    },
  },
  {
    id: 'database-tls',
    title: 'The database is reached over TLS',
    method: 'TEST',
    remedy: 'Add sslmode=verify-full to CHARTSEAL_DATABASE_URL.',
    run: ({ config: { databaseTls, store }, database }) => {
      if (database?.kind !== 'postgres')
        return judge(databaseTls, {
          yes:
            store === 'firestore'
              ? 'Firestore takes TLS alone.'
              : 'The address asks for TLS, or is this machine.',
          no: 'The database’s address does not ask for TLS.',
          evidence: { store },
        });
      const { tls, isLocal } = database;
      return judge(tls.used || isLocal, {
        yes: tls.used
          ? 'The database says that this connection has TLS.'
          : 'The database is on this machine.',
        no: `The database says that this connection has no TLS (it ${tls.offered ? 'offers' : 'does not offer'} it).`,
        evidence: { ...tls, isLocal, asked: databaseTls },
      });
    },
  },
  {
    id: 'database-version',
    title: 'The database still gets security updates',
    method: 'TEST',
    remedy: 'Move to a version of PostgreSQL that its makers still mend.',
    run: ({ database, config: { store } }) => {
      if (store === 'firestore')
        return judge(true, { yes: 'Firestore is kept up to date by Google.', no: '', evidence: { store } });
      if (database?.kind !== 'postgres') return cannotTell('The database could not be looked at from here.');
      const major = Math.floor(database.version / 10_000);
      return judge(major >= OLDEST_POSTGRES, {
        yes: `PostgreSQL ${major}.`,
        no: `PostgreSQL ${major}; ${OLDEST_POSTGRES} is the oldest that still gets updates.`,
        evidence: { version: database.version },
      });
    },
  },
  {
    id: 'database-closed',
    title: 'Nobody reads the database past the server',
    method: 'TEST',
    remedy: 'Deploy firestore.rules; on PostgreSQL run the schema step and connect as chartseal_app.',
    run: ({ database }) => {
      if (database === null) return cannotTell('The database could not be looked at from here.');
      if (database.kind === 'postgres') {
        const { role, open, tables } = database;
        return judge(!role.isSuperuser && !role.bypasses && open.length === 0 && tables > 0, {
          yes: `Row-level security is forced on ${count(tables, 'table')}, and the role passes none of it.`,
          no:
            open.length > 0
              ? `Not forced on: ${open.join(', ')}.`
              : `The role ${role.name} passes row-level security.`,
          evidence: { role: { ...role }, open: [...open], tables },
        });
      }
      if (database.anonymous === null)
        return cannotTell(
          'Firestore’s REST address did not answer. Look at the deployed rules in the console.',
        );
      const open = Object.entries(database.anonymous).filter(
        ([, status]) => status !== 403 && status !== 401,
      );
      return judge(open.length === 0, {
        yes: `Reads without credentials are refused (${count(Object.keys(database.anonymous).length, 'path')} tried).`,
        no: `A read without credentials was answered (${open.map(([path, status]) => `${path}: ${status}`).join(', ')}).`,
        evidence: { anonymous: { ...database.anonymous } },
      });
    },
  },
  {
    id: 'log-insert-only',
    title: 'The server’s role can neither change nor delete an audit event',
    method: 'TEST',
    remedy: 'Run the schema step as the owner: it takes the rights away.',
    run: ({ database }) =>
      database?.kind !== 'postgres'
        ? cannotTell(
            'Firestore cannot hold a server back within its own database; the signed log finds it instead. Look at infra/firestore-audit-role.yaml.',
          )
        : judge(database.changeable.length === 0, {
            yes: 'PostgreSQL refuses it.',
            no: `It may change ${database.changeable.join(', ')}.`,
            evidence: { changeable: [...database.changeable] },
          }),
  },
  {
    id: 'secrets-strong',
    title: 'Secrets for cookies are long and random',
    method: 'EXAMINE',
    remedy: 'Make new ones of 32 random characters or more, and put them first in CHARTSEAL_COOKIE_KEYS.',
    run: ({ config: { cookieKeys } }) =>
      judge(
        cookieKeys.count > 0 && cookieKeys.shortest >= 32 && cookieKeys.fewestDistinct >= LEAST_DISTINCT,
        {
          yes: `${count(cookieKeys.count, 'secret')}, the shortest of ${cookieKeys.shortest} characters.`,
          no: 'A secret is short, or repeats its characters.',
          evidence: { ...cookieKeys },
        },
      ),
  },
  {
    id: 'signing-keys',
    title: 'Tokens are signed with ES256 by keys that have a name',
    method: 'EXAMINE',
    remedy: 'Give each key of CHARTSEAL_SIGNING_KEYS a kid of its own, on the curve P-256.',
    run: ({ config: { signingKeys } }) => {
      const kids = new Set(signingKeys.map(({ kid }) => kid));
      const ok =
        signingKeys.length > 0 &&
        kids.size === signingKeys.length &&
        !kids.has('') &&
        signingKeys.every(({ crv }) => crv === 'P-256');
      return judge(ok, {
        yes: `${count(signingKeys.length, 'key')} on P-256.`,
        no: 'A signing key has no name of its own, or is not on P-256.',
        evidence: { keys: signingKeys.map((key) => ({ ...key })) },
      });
    },
  },
  {
    id: 'redirects-exact',
    title: 'Sign-in answers go to exact https addresses alone',
    method: 'EXAMINE',
    remedy: 'Write each redirect out, with https and without a wildcard.',
    run: ({ config: { redirects } }) => {
      const odd = redirects.filter((uri) => ODD_REDIRECT.test(uri));
      return judge(odd.length === 0, {
        yes: `${count(redirects.length, 'configured redirect')}, each exact.`,
        no: `${count(odd.length, 'redirect')} with a wildcard or without https.`,
        evidence: { odd },
      });
    },
  },
];
