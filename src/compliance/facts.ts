import type { Report } from '../audit/verify/report.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { KeyStatus } from '../lifecycle/rotation/survey.ts';
import type { LogFacts } from './scan/log.ts';
import type { RowFacts } from './scan/rows.ts';
import type { SessionLifetimes } from './sessions.ts';

/** What the configuration says, without a secret. Times in ms. */
export interface ConfigFacts {
  readonly version: string;
  /** The commit that runs; null when it is not known. */
  readonly commit: string | null;
  /** SHA-256 over the whole configuration, secrets left out, hex. */
  readonly digest: string;
  readonly development: boolean;
  readonly origin: string;
  readonly store: 'firestore' | 'postgres';
  readonly kms: 'aws' | 'emulator' | 'local';
  /** A role is assumed by a web identity: no AWS secret is stored. */
  readonly usesWebIdentity: boolean;
  /** Names of variables that are set and hold a long-lived AWS secret. */
  readonly staticAwsKeys: readonly string[];
  /** Names of variables that are set and point at an emulator. */
  readonly emulators: readonly string[];
  /** Where checkpoints go; null for nowhere. */
  readonly checkpoints: 'bucket' | 'folder' | null;
  readonly witnesses: number;
  /** The log bucket of another administrator that keeps the journal; null for none. */
  readonly journal: string | null;
  /** The shortest cookie secret, in characters, and the fewest different characters in one. */
  readonly cookieKeys: { readonly count: number; readonly shortest: number; readonly fewestDistinct: number };
  readonly signingKeys: readonly { readonly kid: string; readonly crv: string }[];
  /** Versions of local keys of which half or more of the bytes are alike. */
  readonly weakLocalKeys: readonly number[];
  readonly redirects: readonly string[];
  readonly withoutSecondFactor: number;
  readonly staffRoles: readonly string[];
  /** Of charts within an hour, over which a person is stopped. */
  readonly personChartsAnHour: number;
  readonly recordMs: number;
  readonly backupMs: number;
  readonly keyMaxAgeMs: number;
  readonly sessions: SessionLifetimes;
  /** True unless the database's address is elsewhere and reached without TLS. */
  readonly databaseTls: boolean;
}

/** What the access policies answer. */
export interface AccessFacts {
  /** Cases of the table, and the lines of those that are answered otherwise. */
  readonly cases: { readonly asked: number; readonly refusals: number; readonly wrong: readonly number[] };
  /** SHA-256 of the matrix as the policies make it, and of the one that was reviewed; null when that is not here. */
  readonly matrix: { readonly now: string; readonly reviewed: string | null };
}

/** Whether the database lets anybody past the server. */
export type DatabaseFacts =
  | {
      readonly kind: 'firestore';
      /** HTTP status of reads without credentials, by path; null when nothing answered. */
      readonly anonymous: Readonly<Record<string, number>> | null;
    }
  | {
      readonly kind: 'postgres';
      /** `server_version_num`. */
      readonly version: number;
      /** Whether the server offers TLS, and this connection has it. */
      readonly tls: { readonly offered: boolean; readonly used: boolean };
      /** The database is on this machine. */
      readonly isLocal: boolean;
      readonly role: { readonly name: string; readonly isSuperuser: boolean; readonly bypasses: boolean };
      /** Tables without forced row-level security, or that the role owns. */
      readonly open: readonly string[];
      readonly tables: number;
      /** Tables of the log on which the role has more than its rights. */
      readonly changeable: readonly string[];
    };

/** The last backup, as whoever makes and tries them knows. Times in ms since the epoch; null for never. */
export interface BackupFacts {
  readonly madeAt: number | null;
  /** When one was last read again and every part of it was whole. */
  readonly verifiedAt: number | null;
}

/** What a client meets at the origin. */
export interface TransportFacts {
  /** Versions that were offered alone and taken. */
  readonly accepted: readonly string[];
  readonly refused: readonly string[];
  readonly strictTransport: string | null;
  /** OpenSSL's code of what is wrong with the certificate, null when nothing is; days until it ends. */
  readonly certificate: { readonly problem: string | null; readonly daysLeft: number };
}

/** The wrapping key's policy as KMS holds it. */
export interface KeyPolicyFacts {
  /** True when use under another tenant's context is denied to everybody. */
  readonly deniesOthers: boolean;
  /** Statements, by Sid, that allow something to everybody. */
  readonly forEverybody: readonly string[];
  /** Statements that let somebody else than the account's administrators end the key. */
  readonly deleters: readonly string[];
}

/** Everything that checks look at, gathered once. What could not be found out is null, and then no check guesses. */
export interface Facts {
  readonly tenant: TenantId;
  /** Ms since the epoch. */
  readonly at: number;
  readonly config: ConfigFacts;
  readonly rows: RowFacts;
  readonly keys: KeyStatus | null;
  readonly keyPolicy: KeyPolicyFacts | null;
  /** The verifier's answer; null without a place for checkpoints. */
  readonly verified: Report | null;
  /** Whether an auditor brought the journal, and CloudTrail's lines. */
  readonly brought: { readonly journal: boolean; readonly keyUse: boolean };
  readonly log: LogFacts | null;
  readonly access: AccessFacts;
  readonly database: DatabaseFacts | null;
  readonly transport: TransportFacts | null;
  readonly backups: BackupFacts | null;
}
