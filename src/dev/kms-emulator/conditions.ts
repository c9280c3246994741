import type { PolicyKind } from './policy-document.ts';
import { asObject, malformed, strings } from './policy-json.ts';

/** What a condition looks at: lower-cased condition key → the request's values; a key that is absent is missing. */
export type Environment = ReadonlyMap<string, readonly string[]>;

interface Operator {
  /** True when the request's value fits the policy's. */
  readonly fits: (value: string, wanted: string) => boolean;
  readonly negated: boolean;
}

/** One line of a `Condition` block. */
export interface Condition {
  readonly operator: Operator | 'Null';
  readonly set: 'ForAllValues' | 'ForAnyValue' | null;
  readonly ifExists: boolean;
  /** Lower case: names of condition keys have no case in AWS, the part after `EncryptionContext:` included. */
  readonly key: string;
  readonly values: readonly string[];
}

const same = (value: string, wanted: string): boolean => value === wanted;
const sameIgnoringCase = (value: string, wanted: string): boolean =>
  value.toLowerCase() === wanted.toLowerCase();

const OPERATORS: Readonly<Record<string, Operator | 'Null'>> = {
  Null: 'Null',
  Bool: { fits: sameIgnoringCase, negated: false },
  StringEquals: { fits: same, negated: false },
  StringNotEquals: { fits: same, negated: true },
  StringEqualsIgnoreCase: { fits: sameIgnoringCase, negated: false },
  StringNotEqualsIgnoreCase: { fits: sameIgnoringCase, negated: true },
  StringLike: { fits: like, negated: false },
  StringNotLike: { fits: like, negated: true },
  ArnEquals: { fits: like, negated: false },
  ArnLike: { fits: like, negated: false },
  ArnNotEquals: { fits: like, negated: true },
  ArnNotLike: { fits: like, negated: true },
};

/** `kms:ViaService` and grants are known and never present: no AWS service calls this emulator. */
const KEYS: Readonly<Record<'kms' | 'trust', RegExp>> = {
  kms: /^(?:kms:(?:encryptioncontext:.+|encryptioncontextkeys|viaservice|grantisforawsresource|keyspec|keyusage|multiregion|calleraccount|encryptionalgorithm|signingalgorithm|macalgorithm|messagetype)|aws:(?:principalarn|principalaccount|requestedregion|(?:resource|request)tag\/.+))$/,
  trust: /^[a-z0-9.-]+(?:\/[a-z0-9._/-]+)?:(?:aud|oaud|sub)$/,
};

/** @throws KmsError `MalformedPolicyDocumentException` for an operator or a key that is not emulated. */
export function parseConditions(block: unknown, kind: PolicyKind): readonly Condition[] {
  if (block === undefined) return [];
  return Object.entries(asObject(block, 'Condition')).flatMap(([name, lines]) => {
    const operator = parseOperator(name);
    return Object.entries(asObject(lines, 'Condition')).map(([key, values]) => {
      const lowered = key.toLowerCase();
      if (!KEYS[kind === 'trust' ? 'trust' : 'kms'].test(lowered))
        malformed(`the condition key ${key} is not emulated`);
      return { ...operator, key: lowered, values: conditionValues(values) };
    });
  });
}

/** Policies write booleans bare or quoted. */
function conditionValues(values: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(values) ? values : [values];
  return strings(
    list.map((value) => (typeof value === 'boolean' ? String(value) : value)),
    'Condition',
  );
}

function parseOperator(name: string): Pick<Condition, 'operator' | 'set' | 'ifExists'> {
  const [, set, base = '', ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(name) ?? [];
  const operator = Object.hasOwn(OPERATORS, base) ? OPERATORS[base] : undefined;
  if (operator === undefined) malformed(`the condition operator ${name} is not emulated`);
  return {
    operator,
    set: set === 'ForAllValues' || set === 'ForAnyValue' ? set : null,
    ifExists: ifExists !== undefined,
  };
}

/** True when every line holds. */
export const conditionsHold = (conditions: readonly Condition[], environment: Environment): boolean =>
  conditions.every((condition) => holds(condition, environment.get(condition.key)));

function holds(condition: Condition, present: readonly string[] | undefined): boolean {
  const { operator, set } = condition;
  if (operator === 'Null') return condition.values.includes(String(present === undefined));
  if (present === undefined)
    return condition.ifExists || set === 'ForAllValues' || (operator.negated && set === null);
  const passes = (value: string): boolean =>
    condition.values.some((wanted) => operator.fits(value, wanted)) !== operator.negated;
  if (set === 'ForAnyValue') return present.some(passes);
  // Without a set operator AWS leaves several values undefined; one value that fits must not speak for another.
  if (set === null && present.length !== 1 && !operator.negated) return false;
  return present.every(passes);
}

/** `*` and `?` as in IAM; everything else stands for itself. */
export function like(value: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(value);
}
