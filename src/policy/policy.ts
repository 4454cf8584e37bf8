import type { OperatorName, Quantifier } from './condition-operators.ts';

/** Without a version a policy is of the older one, in which `${…}` is text like any other. */
export type PolicyVersion = '2012-10-17' | '2008-10-17';

/** A policy that was parsed: every name in it is known, every operand fits its operator. */
export interface Policy {
  readonly version: PolicyVersion;
  readonly id: string | undefined;
  /** At least one. */
  readonly statements: readonly Statement[];
}

export type Effect = 'Allow' | 'Deny';

export interface Statement {
  /** As written; several statements may have an empty one. */
  readonly sid: string | undefined;
  readonly effect: Effect;
  /** `Principal` or `NotPrincipal`; undefined in the policies of users and roles, which have none. */
  readonly principals: Selection<Principal> | undefined;
  /**
   * `Action` or `NotAction`: `*`, or a service, a colon and a name with wildcards. As written;
   * compared without regard to case.
   */
  readonly actions: Selection<string>;
  /**
   * `Resource` or `NotResource`: `*`, or the pattern of an ARN, which `parseArnPattern` reads. As
   * written; compared with regard to case.
   */
  readonly resources: Selection<string>;
  /** All of them must hold. None: the statement applies always. */
  readonly conditions: readonly Condition[];
}

/** What an element chooses: any of what is listed, or all but that. */
export interface Selection<T> {
  /** Whether the element began with `Not`. */
  readonly negated: boolean;
  /** At least one. */
  readonly listed: readonly T[];
}

export type Principal =
  /** `*`: every caller of every account whose signature was verified. */
  | { readonly kind: 'any' }
  /** Twelve digits, or the ARN of the account's root: every identity of that account. */
  | { readonly kind: 'account'; readonly accountId: string }
  | NamedPrincipal
  /** A service or an identity provider: never a caller of this API. */
  | { readonly kind: 'service' | 'federated'; readonly name: string };

/** One identity, by an ARN without wildcards. Compared with regard to case. */
export interface NamedPrincipal {
  /** A `role` is every session of it, a `role-session` one of them. */
  readonly kind: 'user' | 'role' | 'role-session' | 'federated-user';
  readonly accountId: string;
  readonly arn: string;
}

/** One key of one operator of a `Condition`. */
export interface Condition {
  readonly operator: OperatorName;
  readonly quantifier: Quantifier | undefined;
  /** Whether the operator ended in `IfExists`: then it holds where the key is absent. */
  readonly ifExists: boolean;
  /** As written; compared without regard to case. */
  readonly key: string;
  /**
   * At least one; numbers and booleans as their text. Of a `string` or `arn` operator they may hold
   * variables, which `splitVariables` finds.
   */
  readonly values: readonly string[];
}
