import { type Condition, parseConditions } from './conditions.ts';
import { asObject, malformed, strings } from './policy-json.ts';

/** Where a policy is attached; each kind has its own mandatory elements. */
export type PolicyKind = 'key' | 'session' | 'identity' | 'trust';

/** One statement, checked. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  /** Of `Principal.AWS` (`*` for anyone); empty for the kinds that have no principal. */
  readonly principals: readonly string[];
  /** Of `Principal.Federated`. */
  readonly federated: readonly string[];
  /** Action patterns; `inverted` when they came as `NotAction`. */
  readonly actions: { readonly patterns: readonly string[]; readonly inverted: boolean };
  readonly resources: readonly string[];
  readonly conditions: readonly Condition[];
}

const ELEMENTS = new Set(['Sid', 'Effect', 'Principal', 'Action', 'NotAction', 'Resource', 'Condition']);
const PRINCIPAL =
  /^(?:\*|\d{12}|arn:aws:(?:iam|sts)::\d{12}:(?:root|(?:role|user|assumed-role)\/[\w+=,.@/-]+))$/;

/** The policy that AWS gives a key created without one: the account's root user may do everything. */
export const defaultPolicy = (accountId: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  });

/**
 * Reads a policy. What this emulator would not evaluate as AWS does (`NotPrincipal`, `NotResource`, policy
 * variables, conditions that it does not know) is refused: an ignored line could open what AWS keeps shut.
 *
 * @throws KmsError `MalformedPolicyDocumentException`.
 */
export function parsePolicy(text: string, kind: PolicyKind): readonly Statement[] {
  const document = parseJson(text);
  const { Version: version, Statement: statements } = document;
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17')
    malformed('Version is not known');
  const list = Array.isArray(statements) ? statements : [statements];
  if (list.length === 0) malformed('there is no Statement');
  return list.map((statement) => parseStatement(asObject(statement, 'Statement'), kind));
}

function parseStatement(statement: Record<string, unknown>, kind: PolicyKind): Statement {
  for (const element of Object.keys(statement)) {
    if (!ELEMENTS.has(element)) malformed(`the element ${element} is not emulated`);
  }
  const { Effect: effect, Action: action, NotAction: notAction } = statement;
  if (effect !== 'Allow' && effect !== 'Deny') malformed('Effect is neither Allow nor Deny');
  if ((action === undefined) === (notAction === undefined))
    malformed('a statement has one of Action and NotAction');
  const hasResource = statement['Resource'] !== undefined;
  if (hasResource !== (kind !== 'trust'))
    malformed(`Resource is ${hasResource ? 'not for' : 'missing in'} a ${kind} policy`);
  return {
    effect,
    ...parsePrincipal(statement['Principal'], kind),
    actions: {
      patterns: strings(action ?? notAction, 'Action').map(checkAction),
      inverted: notAction !== undefined,
    },
    resources: hasResource ? strings(statement['Resource'], 'Resource') : ['*'],
    conditions: parseConditions(statement['Condition'], kind),
  };
}

function parsePrincipal(value: unknown, kind: PolicyKind): Pick<Statement, 'principals' | 'federated'> {
  const wanted = kind === 'key' || kind === 'trust';
  if ((value !== undefined) !== wanted)
    malformed(`Principal is ${wanted ? 'missing in' : 'not for'} a ${kind} policy`);
  if (value === undefined) return { principals: [], federated: [] };
  if (value === '*') return { principals: ['*'], federated: [] };
  const { AWS: aws = [], Federated: federated = [], Service: _never, ...rest } = asObject(value, 'Principal');
  if (Object.keys(rest).length > 0) malformed('Principal has a type that is not emulated');
  const principals = strings(aws, 'Principal');
  if (!principals.every((principal) => PRINCIPAL.test(principal))) {
    malformed('a principal is no account, role, user or session');
  }
  return { principals, federated: strings(federated, 'Principal') };
}

function checkAction(pattern: string): string {
  if (!/^(?:\*|(?:kms|sts):[A-Za-z*?]+)$/.test(pattern)) malformed('an Action is no kms or sts action');
  return pattern;
}

function parseJson(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    malformed('it is not JSON');
  }
  return asObject(value, 'The document');
}
