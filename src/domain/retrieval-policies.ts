import { invalidParameter, missingParameter } from '../protocol/errors.ts';
import type { Input, Output } from '../protocol/shapes/all.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { AccountRegion, RetrievalPolicyRow } from '../storage/rows.ts';
import { whileThereIsRoom } from './room.ts';

/** A policy as it is asked for: the shape has checked each value by itself. */
export type GivenRetrievalPolicy = Input<'SetDataRetrievalPolicy'>['policy'];

export interface RetrievalPoliciesOptions {
  readonly store: MetadataStore;
  readonly blobs: Pick<BlobStore, 'checkRoom'>;
}

/** Data retrieval policies: one of each account in each region. */
export class RetrievalPolicies {
  readonly #store: MetadataStore;
  readonly #blobs: Pick<BlobStore, 'checkRoom'>;

  constructor({ store, blobs }: RetrievalPoliciesOptions) {
    this.#store = store;
    this.#blobs = blobs;
  }

  /** Replaces the policy. It holds at once, and for jobs that are still to come. */
  async set(of: AccountRegion, given: GivenRetrievalPolicy): Promise<void> {
    const policy = policyRow(given);
    await whileThereIsRoom(this.#blobs, () =>
      this.#store.write(({ retrievals }) => retrievals.setPolicy(of, policy)),
    );
  }

  /** Where none was ever set, it is the one that limits nothing. */
  async get(of: AccountRegion): Promise<Output<'GetDataRetrievalPolicy'>['policy']> {
    const policy = await this.#store.read(({ retrievals }) => retrievals.policy(of));
    const { strategy, bytesPerHour } = policy ?? { strategy: 'None', bytesPerHour: null };
    return {
      rules: [{ strategy, bytesPerHour: bytesPerHour === null ? null : BigInt(bytesPerHour) }],
    };
  }
}

/** Developer guide, "Set Data Retrieval Policy": exactly one rule; a rate where it is one, only. */
function policyRow({ rules }: GivenRetrievalPolicy): RetrievalPolicyRow {
  const [rule, ...others] = rules;
  if (rule === undefined || others.length > 0) {
    throw invalidParameter('The data retrieval policy must contain exactly one rule');
  }
  const { bytesPerHour } = rule;
  // The shape lets only these three through.
  const strategy = rule.strategy as RetrievalPolicyRow['strategy'];
  if (strategy !== 'BytesPerHour') {
    if (bytesPerHour === undefined) return { strategy, bytesPerHour: null };
    throw invalidParameter('BytesPerHour is only valid with the BytesPerHour strategy');
  }
  if (bytesPerHour === undefined) throw missingParameter('BytesPerHour');
  return { strategy, bytesPerHour: String(bytesPerHour) };
}
