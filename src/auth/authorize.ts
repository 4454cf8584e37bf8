import { GlacierError } from '../protocol/errors.ts';
import { isAccountId, vaultArn } from '../protocol/names.ts';
import { actionOf, type OperationName, rowOf } from '../protocol/operations.ts';
import type { Caller } from './authenticate.ts';

export interface AuthorizerOptions {
  readonly accounts: { exists(accountId: string): Promise<boolean> };
}

/** One deed that somebody wants to do, as policies see it. */
export interface Intent {
  readonly caller: Caller;
  readonly operation: OperationName;
  /** What the deed is done to: the ARN of a vault, or `*` for what has no vault. */
  readonly resourceArn: string;
}

/** Says who may do what. For now a caller is the root of an account, and may do all within it. */
export class Authorizer {
  readonly #accounts: AuthorizerOptions['accounts'];

  constructor({ accounts }: AuthorizerOptions) {
    this.#accounts = accounts;
  }

  /**
   * The account that the first segment of a path names. Developer guide, "Common Request Headers":
   * either the account's id or a single `-`, the account of the credentials that signed.
   */
  async resolveAccount(segment: string, caller: Caller): Promise<string> {
    if (segment === '-' || segment === caller.accountId) return caller.accountId;
    if (!isAccountId(segment) || !(await this.#accounts.exists(segment))) {
      throw new GlacierError(
        'UnrecognizedClientException',
        'No account found for the given parameters',
      );
    }
    throw new GlacierError('AccessDeniedException', `Access denied for account ID: ${segment}`);
  }

  /** Returns when the caller may do it, and throws `AccessDeniedException` when not. */
  authorize({ caller, operation, resourceArn }: Intent): void {
    if (caller.isRoot) return;
    throw new GlacierError(
      'AccessDeniedException',
      `User: ${caller.principalArn} is not authorized to perform: ${actionOf(operation)} ` +
        `on resource: ${resourceArn}`,
    );
  }
}

/** The ARN that policies are evaluated against when `operation` is done at this place. */
export function resourceArnOf(
  operation: OperationName,
  place: {
    readonly accountId: string;
    readonly region: string;
    readonly vaultName: string | undefined;
  },
): string {
  const { accountId, region, vaultName } = place;
  if (rowOf(operation).on === 'account' || vaultName === undefined) return '*';
  return vaultArn({ accountId, region, vaultName });
}
