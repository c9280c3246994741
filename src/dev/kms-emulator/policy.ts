import type { Caller } from './caller.ts';
import type { EncryptionContext } from './ciphertext.ts';
import { conditionsHold, type Environment, like } from './conditions.ts';
import { KmsError } from './errors.ts';
import type { Target } from './operations/target.ts';
import { type PolicyKind, parsePolicy, type Statement } from './policy-document.ts';

/** One question to a key's policy. */
export interface KeyAccess {
  readonly caller: Caller;
  /** `kms:Decrypt`, … */
  readonly action: string;
  readonly target: Target;
  readonly context: EncryptionContext;
  readonly conditions: Readonly<Record<string, string>>;
}

/** One question that concerns no one key. */
export type KeylessAccess = Pick<KeyAccess, 'caller' | 'action'> & Partial<Pick<KeyAccess, 'conditions'>>;

interface Question {
  readonly caller: Caller;
  readonly action: string;
  /** The key's ARN, or `*` for an action on no key. */
  readonly resource: string;
  readonly environment: Environment;
}

/**
 * What one set of statements says. `delegated` is an Allow to the account as a whole, which AWS reads as "as IAM
 * policies say".
 */
type Verdict = 'deny' | 'allow' | 'delegated' | 'silent';

/**
 * Decides who may do what, as AWS does within one account: an explicit Deny anywhere wins; a session policy, when
 * there is one, must allow; and so must the key policy, by itself or by leaving it to the role's own policies.
 */
export class Rules {
  readonly #accountId: string;
  readonly #identityPolicies: (roleArn: string) => readonly string[];
  readonly #parsed = new Map<string, readonly Statement[]>();

  constructor(options: {
    readonly accountId: string;
    /** The policies attached to a role, as JSON. */
    readonly identityPolicies: (roleArn: string) => readonly string[];
  }) {
    this.#accountId = options.accountId;
    this.#identityPolicies = options.identityPolicies;
  }

  /** @throws KmsError `AccessDeniedException` unless the caller may do this to the key. */
  demandOnKey(access: KeyAccess): void {
    const { caller, action, target } = access;
    const environment = this.#environment(access);
    this.#decide({ caller, action, resource: target.arn, environment }, target.regional.policy);
  }

  /** @throws KmsError `AccessDeniedException` unless the caller may do this, which concerns no one key. */
  demand({ caller, action, conditions = {} }: KeylessAccess): void {
    const environment = callerEnvironment(caller, this.#accountId);
    for (const [name, value] of Object.entries(conditions)) environment.set(name.toLowerCase(), [value]);
    this.#decide({ caller, action, resource: '*', environment }, null);
  }

  /** @throws KmsError `MalformedPolicyDocumentException` when the caller could not change this policy again. */
  demandNoLockout(caller: Caller, policy: string, bypass: boolean): void {
    if (bypass) return;
    const environment = callerEnvironment(caller, this.#accountId);
    const question = { caller, action: 'kms:PutKeyPolicy', resource: '*', environment };
    try {
      this.#decide(question, policy);
    } catch {
      throw new KmsError(
        'MalformedPolicyDocumentException',
        'The new key policy will not allow you to update the key policy in the future.',
      );
    }
  }

  #decide(question: Question, keyPolicy: string | null): void {
    const { caller } = question;
    // Without a key only IAM speaks, and the root user needs no IAM policy.
    const key = keyPolicy === null ? 'delegated' : this.#ask(question, keyPolicy, 'key');
    if (key === 'deny') deny(question, 'with an explicit deny in a resource-based policy');
    if (caller.sessionPolicy !== null) {
      const session = this.#ask(question, caller.sessionPolicy, 'session');
      if (session === 'deny') deny(question, 'with an explicit deny in a session policy');
      if (session !== 'allow')
        deny(question, `because no session policy allows the ${question.action} action`);
    }
    const identity = this.#identity(question);
    if (identity === 'deny') deny(question, 'with an explicit deny in an identity-based policy');
    if (key === 'allow' || (key === 'delegated' && identity === 'allow')) return;
    const kind = key === 'delegated' ? 'identity-based' : 'resource-based';
    deny(question, `because no ${kind} policy allows the ${question.action} action`);
  }

  #identity(question: Question): Verdict {
    if (question.caller.type === 'Root') return 'allow';
    const verdicts = this.#identityPolicies(question.caller.principalArn).map((policy) =>
      this.#ask(question, policy, 'identity'),
    );
    return strongest(verdicts);
  }

  #ask(question: Question, policy: string, kind: PolicyKind): Verdict {
    const verdicts = this.#parse(policy, kind)
      .filter((statement) => statementApplies(statement, question))
      .map((statement) => this.#verdict(statement, { question, kind }));
    return strongest(verdicts);
  }

  #verdict(statement: Statement, { question, kind }: { question: Question; kind: PolicyKind }): Verdict {
    const whom = kind === 'key' ? this.#names(statement, question.caller) : 'caller';
    if (whom === null) return 'silent';
    if (statement.effect === 'Deny') return 'deny';
    return whom === 'account' ? 'delegated' : 'allow';
  }

  /** Whether a statement's principals name the caller, or the account that the caller is in, or neither. */
  #names({ principals }: Statement, caller: Caller): 'caller' | 'account' | null {
    if (principals.some((name) => name === '*' || name === caller.principalArn || name === caller.arn))
      return 'caller';
    const account = [this.#accountId, `arn:aws:iam::${this.#accountId}:root`];
    return principals.some((name) => account.includes(name)) ? 'account' : null;
  }

  #parse(policy: string, kind: PolicyKind): readonly Statement[] {
    const cached = this.#parsed.get(policy);
    if (cached !== undefined) return cached;
    if (this.#parsed.size > 1000) this.#parsed.clear();
    const statements = parsePolicy(policy, kind);
    this.#parsed.set(policy, statements);
    return statements;
  }

  #environment({ caller, target, context, conditions }: KeyAccess): Environment {
    const { key } = target;
    const environment = new Map(callerEnvironment(caller, this.#accountId));
    environment.set('kms:keyspec', [key.spec]);
    environment.set('kms:keyusage', [key.usage]);
    environment.set('kms:multiregion', [String(key.multiRegion)]);
    for (const { TagKey, TagValue } of target.regional.tags)
      environment.set(`aws:resourcetag/${TagKey.toLowerCase()}`, [TagValue]);
    for (const [name, value] of Object.entries(conditions)) environment.set(name.toLowerCase(), [value]);
    const pairs = Object.entries(context);
    if (pairs.length > 0) environment.set('kms:encryptioncontextkeys', Object.keys(context));
    for (const [name, value] of pairs) {
      // Two context keys that differ only in case fall on one condition key, which then has two values.
      const at = `kms:encryptioncontext:${name.toLowerCase()}`;
      environment.set(at, [...(environment.get(at) ?? []), value]);
    }
    return environment;
  }
}

const callerEnvironment = (caller: Caller, accountId: string): Map<string, readonly string[]> =>
  new Map([
    ['aws:principalarn', [caller.principalArn]],
    ['aws:principalaccount', [accountId]],
    ['aws:requestedregion', [caller.region]],
    ['kms:calleraccount', [accountId]],
  ]);

/** True when the action, the resource and the conditions of a statement fit; who it names is another matter. */
function statementApplies(
  { actions, resources, conditions }: Statement,
  question: Pick<Question, 'action' | 'resource' | 'environment'>,
): boolean {
  const action = question.action.toLowerCase();
  const named = actions.patterns.some((pattern) => like(action, pattern.toLowerCase()));
  return (
    named !== actions.inverted &&
    resources.some((pattern) => like(question.resource, pattern)) &&
    conditionsHold(conditions, question.environment)
  );
}

function strongest(verdicts: readonly Verdict[]): Verdict {
  const order: readonly Verdict[] = ['deny', 'allow', 'delegated'];
  return order.find((verdict) => verdicts.includes(verdict)) ?? 'silent';
}

function deny({ caller, action, resource }: Question, why: string): never {
  throw new KmsError(
    'AccessDeniedException',
    `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
  );
}
