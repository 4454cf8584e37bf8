import type { Clock } from '../lib/clock.ts';
import type { RandomBytes } from '../lib/random.ts';
import type { TimeBounds } from '../lib/time-bounds.ts';
import { GlacierError } from '../protocol/errors.ts';
import { idLengths } from '../protocol/names.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { AccountRegion, CapacityUnitRow } from '../storage/rows.ts';
import { oneMonthAfter } from './calendar-month.ts';
import { whileThereIsRoom } from './room.ts';

export interface CapacityOptions {
  readonly store: MetadataStore;
  readonly blobs: Pick<BlobStore, 'checkRoom'>;
  readonly clock: Clock;
  /** What the time is for what lasts a month. */
  readonly monthBounds: TimeBounds;
  readonly randomBytes: RandomBytes;
  /** How many units an account may have in a region at a time. */
  readonly capacityUnitsMax: number;
}

/** Provisioned capacity: units that an account buys in a region, each for a month. */
export class Capacity {
  readonly #options: CapacityOptions;

  constructor(options: CapacityOptions) {
    this.#options = options;
  }

  /** Buys a unit, and answers its id. Every call buys one. */
  purchase(of: AccountRegion): Promise<string> {
    return whileThereIsRoom(this.#options.blobs, () => this.#insert(of));
  }

  /** Units that have not expired, latest start first. */
  list(of: AccountRegion): Promise<CapacityUnitRow[]> {
    const { store, monthBounds } = this.#options;
    return store.read(({ capacity }) => capacity.list(of, monthBounds.earliest()));
  }

  async #insert({ accountId, region }: AccountRegion): Promise<string> {
    const { store, clock, monthBounds, randomBytes, capacityUnitsMax } = this.#options;
    const capacityId = newCapacityId(randomBytes);
    await store.write(async ({ capacity }) => {
      const nowMs = monthBounds.earliest();
      const there = await capacity.list({ accountId, region }, nowMs);
      if (there.length >= capacityUnitsMax) {
        throw new GlacierError(
          'LimitExceededException',
          'The limit of provisioned capacity units for this account has been reached',
        );
      }
      const startsAtMs = clock.now();
      // By what is judged whether it has expired, and not by a clock that may be wrong.
      const expiresAtMs = oneMonthAfter(nowMs);
      await capacity.insert({ accountId, region, capacityId, startsAtMs, expiresAtMs });
    });
    return capacityId;
  }
}

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Letters and digits only, as all ids of units that were ever seen. It is a name, and no secret. */
function newCapacityId(randomBytes: RandomBytes): string {
  const bytes = randomBytes(idLengths.capacity);
  return [...bytes].map((byte) => alphanumeric[byte % alphanumeric.length]).join('');
}
