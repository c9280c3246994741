import type { ConfigFacts } from '../facts.ts';

/** What the policies are written from: the checked configuration and the constants of the code. Times in ms, unless named. */
export interface PolicyFacts {
  readonly config: Pick<
    ConfigFacts,
    | 'version'
    | 'digest'
    | 'origin'
    | 'store'
    | 'kms'
    | 'checkpoints'
    | 'witnesses'
    | 'withoutSecondFactor'
    | 'staffRoles'
    | 'recordMs'
    | 'backupMs'
    | 'keyMaxAgeMs'
  >;
  readonly hosting: {
    readonly functionsRegion: string;
    readonly firestoreLocation: string;
    /** Of AWS KMS; null for local keys. */
    readonly kmsRegion: string | null;
    /** Where the sealed bytes of documents are. */
    readonly documents: 'bucket' | 'folder';
    /** What Secret Manager holds. */
    readonly secrets: readonly string[];
  };
  readonly encryption: {
    /** By Node's name, such as `aes-256-gcm`. */
    readonly cipher: string;
    readonly keyBits: number;
    readonly tagBits: number;
    readonly indexBits: readonly number[];
    readonly tlsFloor: string;
    /** The parts into which a chart is cut. */
    readonly compartments: readonly string[];
    /** Columns of stored bytes, by how they are protected. */
    readonly columns: Readonly<Record<string, number>>;
  };
  readonly keys: {
    readonly cache: { readonly maxAgeMs: number; readonly maxUses: number; readonly maxEntries: number };
    readonly wrappingKeyDays: number;
  };
  readonly access: {
    readonly roles: readonly string[];
    readonly purposes: readonly string[];
    readonly consents: readonly string[];
    /** Tools that a role may use at all, and by which policies. */
    readonly tools: readonly { readonly role: string; readonly tools: readonly string[] }[];
    readonly matrixSha256: string;
    /** Charts within an hour, of a person and of a client. */
    readonly charts: Readonly<
      Record<'person' | 'client', { readonly slowAfter: number; readonly stopAfter: number }>
    >;
    readonly emergency: { readonly minutes: readonly number[]; readonly reviewMs: number };
    readonly lifetimes: {
      /** Of what the authorization server gives out, in seconds. */
      readonly accessToken: number;
      readonly grant: number;
      readonly idleGrant: number;
      readonly signIn: number;
      readonly pageMs: number;
      readonly consoleIdleMs: number;
      readonly consoleMs: number;
    };
  };
  readonly retention: {
    readonly auditYears: number;
    readonly auditFloorYears: number;
    readonly answerKeptMs: number;
    readonly unusedClientS: number;
    /** Collections whose rows end by themselves. */
    readonly expiring: readonly string[];
  };
  readonly requests: {
    readonly kinds: readonly string[];
    readonly answerMs: number;
    readonly confirmMs: number;
    readonly readyMs: number;
    readonly coolingMs: number;
  };
  readonly processors: {
    /** Hosts that the authorization server takes assistants from. */
    readonly assistants: readonly string[];
    readonly identityProviders: readonly string[];
    /** Whose tokens are taken instead of our own. */
    readonly externalIssuer: string | null;
    readonly witnesses: readonly string[];
  };
  readonly alarms: readonly { readonly name: string; readonly from: string; readonly means: string }[];
}

/** One policy. */
export interface PolicyDocument {
  /** The file's name without its ending. */
  readonly id: string;
  readonly title: string;
  /** Markdown below the title. */
  readonly body: string;
}
