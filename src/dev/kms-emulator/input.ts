import { KmsError } from './errors.ts';

/** Limits on a text or byte member, both ends included. */
export interface LengthRule {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The members of one request, read with the limits of the AWS model. A member of the wrong JSON type is a
 * `SerializationException`, one outside its limits a `ValidationException`, as in AWS; unknown members are
 * ignored, as in AWS.
 */
export class Input {
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(members: Readonly<Record<string, unknown>>) {
    this.#members = members;
  }

  /** The member as it came, for the log only. */
  raw(name: string): unknown {
    return this.has(name) ? this.#members[name] : undefined;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#members, name) && this.#members[name] !== null;
  }

  string(name: string, rule: LengthRule = {}): string {
    return this.optionalString(name, rule) ?? missing(name);
  }

  optionalString(name: string, rule: LengthRule = {}): string | undefined {
    const value = this.#typed(name, 'string');
    if (value === undefined) return undefined;
    checkLength(name, value.length, rule);
    if (rule.pattern && !rule.pattern.test(value)) {
      invalid(name, `Member must satisfy regular expression pattern: ${rule.pattern.source}`);
    }
    return value;
  }

  bytes(name: string, rule: LengthRule): Buffer {
    const text = this.#typed(name, 'string') ?? missing(name);
    if (!BASE64.test(text)) throw new KmsError('SerializationException', `${name} is not valid base64.`);
    const value = Buffer.from(text, 'base64');
    checkLength(name, value.length, rule);
    return value;
  }

  optionalInteger(name: string, range: { min: number; max: number }): number | undefined {
    const value = this.#typed(name, 'number');
    if (value === undefined) return undefined;
    if (!Number.isInteger(value)) throw new KmsError('SerializationException', `${name} is not an integer.`);
    if (value < range.min) invalid(name, `Member must have value greater than or equal to ${range.min}`);
    if (value > range.max) invalid(name, `Member must have value less than or equal to ${range.max}`);
    return value;
  }

  boolean(name: string): boolean {
    return this.#typed(name, 'boolean') ?? false;
  }

  /** One of `values`, or `fallback` when the member is absent; without a fallback the member is required. */
  oneOf<T extends string>(name: string, values: readonly T[], fallback?: T): T {
    const value = this.#typed(name, 'string') ?? fallback ?? missing(name);
    const known = values.find((candidate) => candidate === value);
    return known ?? invalid(name, `Member must satisfy enum value set: [${values.join(', ')}]`);
  }

  /** A map of text to text; absent means empty, as AWS binds them alike. */
  context(name: string): Readonly<Record<string, string>> {
    const value = this.#typed(name, 'object');
    if (value === undefined) return {};
    if (Array.isArray(value)) throw new KmsError('SerializationException', `${name} is not a map.`);
    for (const [key, item] of Object.entries(value)) {
      // A lone surrogate has no UTF-8 of its own, so two contexts could be bound as one.
      if (typeof item !== 'string' || !key.isWellFormed() || !item.isWellFormed()) {
        throw new KmsError('SerializationException', `${name} has a key or value that is not Unicode text.`);
      }
    }
    return value as Readonly<Record<string, string>>;
  }

  list(name: string): readonly unknown[] {
    const value = this.#typed(name, 'object');
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw new KmsError('SerializationException', `${name} is not a list.`);
    return value;
  }

  #typed(name: string, type: 'string'): string | undefined;
  #typed(name: string, type: 'number'): number | undefined;
  #typed(name: string, type: 'boolean'): boolean | undefined;
  #typed(name: string, type: 'object'): object | undefined;
  #typed(name: string, type: string): unknown {
    if (!this.has(name)) return undefined;
    const value = this.#members[name];
    if (typeof value === type) return value;
    throw new KmsError('SerializationException', `${name} is not of type ${type}.`);
  }
}

function checkLength(name: string, length: number, rule: LengthRule): void {
  if (length < (rule.min ?? 0)) {
    invalid(name, `Member must have length greater than or equal to ${rule.min}`);
  }
  if (length > (rule.max ?? Number.POSITIVE_INFINITY)) {
    invalid(name, `Member must have length less than or equal to ${rule.max}`);
  }
}

/** @throws KmsError always: `ValidationException` in the words of AWS, naming the member and never its value. */
function invalid(name: string, constraint: string): never {
  throw new KmsError(
    'ValidationException',
    `1 validation error detected: Value at '${lowerFirst(name)}' failed to satisfy constraint: ${constraint}`,
  );
}

function missing(name: string): never {
  throw new KmsError(
    'ValidationException',
    `1 validation error detected: Value null at '${lowerFirst(name)}' failed to satisfy constraint: Member must not be null`,
  );
}

/** `KeyId` → `keyId`: how AWS writes member names in messages and in CloudTrail. */
export const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);
