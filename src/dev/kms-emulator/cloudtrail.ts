import { closeSync, openSync, writeSync } from 'node:fs';

/** One call, in the shape of a CloudTrail record. Never plaintext, a message, a ciphertext or key material. */
export interface CloudTrailRecord {
  readonly eventVersion: '1.09';
  /** ISO 8601, seconds, UTC. */
  readonly eventTime: string;
  readonly eventSource: 'kms.amazonaws.com' | 'sts.amazonaws.com';
  readonly eventName: string;
  readonly awsRegion: string;
  readonly sourceIPAddress: string;
  readonly userAgent: string;
  readonly userIdentity: {
    readonly type: 'Root' | 'AssumedRole' | 'WebIdentityUser' | 'Unknown';
    readonly arn?: string;
    readonly accountId: string;
    readonly accessKeyId?: string;
  };
  /** Member names as CloudTrail writes them (`keyId`, `encryptionContext`, …), values in clear. */
  readonly requestParameters: Readonly<Record<string, unknown>>;
  readonly responseElements: null;
  readonly resources: readonly {
    readonly ARN: string;
    readonly type: 'AWS::KMS::Key';
    readonly accountId: string;
  }[];
  readonly readOnly: boolean;
  readonly requestID: string;
  readonly eventID: string;
  readonly eventType: 'AwsApiCall';
  readonly recipientAccountId: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

const RING = 10_000;

/** The last 10,000 records in memory, and all of them in `logFile`, one JSON object a line. */
export class EventLog {
  readonly #ring: CloudTrailRecord[] = [];
  readonly #file: number | undefined;
  readonly #listener: ((line: CloudTrailRecord) => void) | undefined;
  #dropped = 0;

  constructor(options: {
    readonly logFile?: string | undefined;
    readonly log?: ((line: CloudTrailRecord) => void) | undefined;
  }) {
    this.#file = options.logFile === undefined ? undefined : openSync(options.logFile, 'a', 0o600);
    this.#listener = options.log;
  }

  /** Written synchronously: the record is with the operating system before the caller has its answer. */
  add(record: CloudTrailRecord): void {
    if (this.#file !== undefined) writeSync(this.#file, `${JSON.stringify(record)}\n`);
    this.#ring.push(record);
    if (this.#ring.length > RING) {
      this.#ring.shift();
      this.#dropped += 1;
    }
    this.#listener?.(record);
  }

  all(): readonly CloudTrailRecord[] {
    return this.#ring.slice();
  }

  /** Records from number `since` on (0 is the first ever), and the number that comes next. */
  since(since: number): { readonly next: number; readonly events: readonly CloudTrailRecord[] } {
    return {
      next: this.#dropped + this.#ring.length,
      events: this.#ring.slice(Math.max(0, since - this.#dropped)),
    };
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}
