import type { Archives } from '../domain/archives.ts';
import type { Jobs } from '../domain/jobs.ts';
import type { Vaults } from '../domain/vaults.ts';
import type { VaultAddress } from '../protocol/names.ts';
import type { BuiltOperationName, Input, Output } from '../protocol/shapes/all.ts';

/** The domain services that handlers speak to. */
export interface Services {
  readonly vaults: Vaults;
  readonly archives: Archives;
  readonly jobs: Jobs;
}

/** What a handler may know of the request beside its input. */
export interface Call {
  /** The region of the credential scope: vaults of the same name live in each. */
  readonly region: string;
  /** Aborted when the client has gone away, or when the server stops. */
  readonly signal: AbortSignal;
}

/**
 * Carries out operation `N` with the services named in `S`, and no others. The input is checked,
 * the caller is allowed, and `accountId` is the 12-digit number, never `-`.
 */
export type Handler<N extends BuiltOperationName, S extends keyof Services> = (
  input: Input<N>,
  services: Pick<Services, S>,
  call: Call,
) => Promise<Output<N>>;

/** The vault that an input names. */
export function vaultOf(
  input: { readonly accountId: string; readonly vaultName: string },
  call: Call,
): VaultAddress {
  return { accountId: input.accountId, region: call.region, vaultName: input.vaultName };
}
