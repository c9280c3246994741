import type { KeyPolicyFacts } from '../facts.ts';

/** A statement of an IAM policy, as far as it is looked at; anything of another shape counts against the key. */
interface Statement {
  readonly Sid?: string;
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly NotPrincipal?: unknown;
  readonly Action?: unknown;
  readonly NotAction?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Every use of a wrapping key for data. */
const USES = ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'];
/** What ends a key, or takes its protection away. */
const ENDINGS = ['kms:ScheduleKeyDeletion', 'kms:DisableKey', 'kms:PutKeyPolicy'];
const TENANT_KEY = 'kms:encryptioncontext:tenant';
const ACCOUNT = /^(?:\d{12}|arn:aws[a-z-]*:iam::\d{12}:root)$/;

/** Reads a key policy as KMS holds it. Null when it is not JSON. Pure. */
export function readKeyPolicy(policy: string, tenant: string): KeyPolicyFacts | null {
  const statements = statementsOf(policy);
  if (statements === null) return null;
  const denied = statements.filter((one) => deniesOthers(one, tenant));
  const allows = statements.filter(({ Effect }) => Effect !== 'Deny');
  return {
    deniesOthers: USES.every((use) => denied.some((one) => names(one, use))),
    forEverybody: allows.filter(isForEverybody).map(nameOf),
    deleters: allows.filter(letsOthersEnd).map(nameOf),
  };
}

function statementsOf(policy: string): Statement[] | null {
  try {
    const { Statement: found } = JSON.parse(policy) as { Statement?: Statement | Statement[] };
    return found === undefined ? [] : Array.isArray(found) ? found : [found];
  } catch {
    return null;
  }
}

/** A denial to everybody under one condition alone: a second one would narrow it. */
function deniesOthers({ Effect, Principal, Condition }: Statement, tenant: string): boolean {
  if (Effect !== 'Deny' || !principalsOf(Principal).includes('*')) return false;
  const operators = Object.entries(Condition ?? {});
  const [operator, keys] = operators[0] ?? [];
  const entries = Object.entries(keys ?? {});
  return (
    operators.length === 1 &&
    operator === 'StringNotEquals' &&
    entries.length === 1 &&
    entries[0]?.[0].toLowerCase() === TENANT_KEY &&
    asList(entries[0][1]).join() === tenant
  );
}

/** A condition may still bind it; that a person must look at, so it counts. */
const isForEverybody = ({ Principal, NotPrincipal }: Statement): boolean =>
  NotPrincipal !== undefined || principalsOf(Principal).some((one) => one.includes('*'));

/** The account's own rules decide who its administrators are; nobody else is named. */
const letsOthersEnd = (statement: Statement): boolean =>
  (statement.NotAction !== undefined || ENDINGS.some((action) => names(statement, action))) &&
  principalsOf(statement.Principal).some((one) => !ACCOUNT.test(one));

/** Whether a statement's actions name this one; `*` and `?` are wildcards there. */
const names = ({ Action }: Statement, action: string): boolean =>
  asList(Action).some((pattern) => {
    const parts = pattern
      .split(/([*?])/)
      .map((part) => (part === '*' ? '.*' : part === '?' ? '.' : escaped(part)));
    return new RegExp(`^${parts.join('')}$`, 'i').test(action);
  });

const escaped = (text: string): string => text.replaceAll(/[\\^$.|+()[\]{}]/g, '\\$&');

function principalsOf(principal: unknown): string[] {
  if (typeof principal !== 'object' || principal === null) return asList(principal);
  return Object.values(principal).flatMap(asList);
}

const asList = (value: unknown): string[] =>
  value === undefined || value === null ? [] : (Array.isArray(value) ? value : [value]).map(String);

const nameOf = ({ Sid }: Statement): string => Sid ?? '(without Sid)';
