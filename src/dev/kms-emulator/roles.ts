import { conditionsHold, type Environment } from './conditions.ts';
import { parsePolicy } from './policy-document.ts';

/** A role of the emulated account. */
export interface EmulatedRole {
  /** `arn:aws:iam::ACCOUNT:role/NAME` */
  readonly arn: string;
  /** JSON: who may assume it. Without one, whoever the web identity hook accepts. */
  readonly trustPolicy?: string;
  /** JSON: the policies attached to it. They count where a key policy leaves the decision to the account. */
  readonly policies?: readonly string[];
}

/** What a web identity token was found to say, once its signature was checked. */
export interface WebIdentityClaims {
  /** `https://accounts.google.com` or the issuer's own address. */
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  /** The authorised party; for Google's tokens AWS matches `:aud` against it. */
  readonly azp?: string;
}

const ROLE_ARN = /^arn:aws:iam::(\d{12}):role\/(?:[\w+=,.@-]+\/)*([\w+=,.@-]{1,64})$/;

/** The roles that can be assumed. Without a list every role of the account exists, and has no policy. */
export class Roles {
  readonly #accountId: string;
  readonly #roles: ReadonlyMap<string, EmulatedRole> | null;

  /** @throws KmsError `MalformedPolicyDocumentException` when a role's policy is not valid. */
  constructor(accountId: string, roles: readonly EmulatedRole[] | undefined) {
    this.#accountId = accountId;
    this.#roles = roles === undefined ? null : new Map(roles.map((role) => [role.arn, role]));
    for (const role of roles ?? []) {
      if (role.trustPolicy !== undefined) parsePolicy(role.trustPolicy, 'trust');
      for (const policy of role.policies ?? []) parsePolicy(policy, 'identity');
    }
  }

  /** The role's policies as JSON. */
  policiesOf(arn: string): readonly string[] {
    return this.#roles?.get(arn)?.policies ?? [];
  }

  /** True when such a role exists and its trust policy admits these claims; null claims mean the root user. */
  mayAssume(arn: string, claims: WebIdentityClaims | null): boolean {
    const role = this.#roles === null ? { arn } : this.#roles.get(arn);
    if (role === undefined || ROLE_ARN.exec(arn)?.[1] !== this.#accountId) return false;
    return role.trustPolicy === undefined || claims === null || trusts(role.trustPolicy, claims);
  }

  /** `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION` */
  sessionArn(arn: string, sessionName: string): string {
    return `arn:aws:sts::${this.#accountId}:assumed-role/${ROLE_ARN.exec(arn)?.[2] ?? ''}/${sessionName}`;
  }
}

function trusts(policy: string, claims: WebIdentityClaims): boolean {
  const provider = claims.iss.replace(/^https:\/\//, '');
  const environment = claimEnvironment(provider, claims);
  const effects = parsePolicy(policy, 'trust')
    .filter(({ federated }) =>
      federated.some((name) => name === provider || name.endsWith(`:oidc-provider/${provider}`)),
    )
    .filter(({ actions }) => actions.patterns.includes('sts:AssumeRoleWithWebIdentity') !== actions.inverted)
    .filter(({ conditions }) => conditionsHold(conditions, environment))
    .map(({ effect }) => effect);
  return effects.includes('Allow') && !effects.includes('Deny');
}

/** For Google AWS matches `:aud` with the token's azp and `:oaud` with its aud; for others `:aud` is the aud. */
function claimEnvironment(provider: string, { aud, azp, sub }: WebIdentityClaims): Environment {
  const party = provider === 'accounts.google.com' ? (azp ?? aud) : aud;
  return new Map([
    [`${provider}:aud`, [party]],
    [`${provider}:oaud`, [aud]],
    [`${provider}:sub`, [sub]],
  ]);
}
