import type { AccessPolicies } from '../domain/access-policies.ts';
import type { Archives } from '../domain/archives.ts';
import type { Capacity } from '../domain/capacity.ts';
import type { Jobs } from '../domain/jobs.ts';
import type { NotificationSettings } from '../domain/notification-settings.ts';
import type { RetrievalPolicies } from '../domain/retrieval-policies.ts';
import type { Tags } from '../domain/tags.ts';
import type { Uploads } from '../domain/uploads.ts';
import type { VaultLocks } from '../domain/vault-locks.ts';
import type { Vaults } from '../domain/vaults.ts';
import type { VaultAddress } from '../protocol/names.ts';
import type { OperationName } from '../protocol/operations.ts';
import type { Input, Output } from '../protocol/shapes/all.ts';

/** The domain services that handlers speak to. */
export interface Services {
  readonly vaults: Vaults;
  readonly archives: Archives;
  readonly uploads: Uploads;
  readonly jobs: Jobs;
  readonly tags: Tags;
  readonly notificationSettings: NotificationSettings;
  readonly retrievalPolicies: RetrievalPolicies;
  readonly capacity: Capacity;
  readonly accessPolicies: AccessPolicies;
  readonly vaultLocks: VaultLocks;
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
export type Handler<N extends OperationName, S extends keyof Services> = (
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
