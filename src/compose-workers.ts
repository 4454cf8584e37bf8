import type { Jobs } from './domain/jobs.ts';
import type { Markers } from './domain/markers.ts';
import type { Pins } from './domain/pins.ts';
import type { Bell } from './lib/bell.ts';
import type { Clock } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import type { RandomBytes } from './lib/random.ts';
import type { TimeBounds } from './lib/time-bounds.ts';
import type { Stores } from './storage/open.ts';
import { CompactSegments } from './workers/compact-segments.ts';
import { DiscardUploads } from './workers/discard-uploads.ts';
import { ExpireJobs } from './workers/expire-jobs.ts';
import { ExpireRecords } from './workers/expire-records.ts';
import { ForgetArchives } from './workers/forget-archives.ts';
import { InspectFiles } from './workers/inspect-files.ts';
import { KeepReserve } from './workers/keep-reserve.ts';
import { RefreshInventories } from './workers/refresh-inventories.ts';
import { RetrieveArchives } from './workers/retrieve-archives.ts';
import { ScrubArchives } from './workers/scrub-archives.ts';
import { SnapshotMetadata } from './workers/snapshot-metadata.ts';
import { SweepOrphans } from './workers/sweep-orphans.ts';
import { TakeInventories } from './workers/take-inventories.ts';
import type { Worker } from './workers/worker.ts';

interface WorkerParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly timeBounds: TimeBounds;
  readonly monthBounds: TimeBounds;
  readonly randomBytes: RandomBytes;
  readonly stores: Stores;
  readonly jobs: Jobs;
  readonly markers: Markers;
  readonly pins: Pins;
  /** What is rung for whom is said where it is waited for. */
  readonly bells: Readonly<
    Record<'retrievals' | 'inventories' | 'removals' | 'aborts' | 'freed', Bell>
  >;
  readonly scrub: { readonly periodMs: number; readonly bytesPerSecondMax: number };
  readonly uploadExpiryMs: number;
  /** Null when inventories are live. */
  readonly inventoryIntervalMs: number | null;
}

export interface Workers {
  readonly all: readonly Worker[];
  /** One of them, whose progress is shown. */
  readonly scrub: ScrubArchives;
}

/** A server that has just started has better things to do than to look at every blob. */
const sweepDelayMs = 5 * 60 * 1000;

/** Everything that happens between requests. */
export function assembleWorkers(parts: WorkerParts): Workers {
  const { stores, bells, inventoryIntervalMs } = parts;
  const { metadata: store, blobs } = stores;
  const { removals, aborts, freed } = bells;
  const common = { ...parts, store, blobs, removals, aborts, freed };
  const scrub = new ScrubArchives({ ...common, ...parts.scrub });
  const all: Worker[] = [
    new RetrieveArchives({ ...common, arrivals: bells.retrievals }),
    new TakeInventories({ ...common, arrivals: bells.inventories }),
    new ExpireJobs(common),
    new ExpireRecords(common),
    new ForgetArchives(common),
    new DiscardUploads(common),
    new SweepOrphans({ ...common, firstRoundInMs: sweepDelayMs }),
    new CompactSegments({ ...common, compaction: blobs }),
    new SnapshotMetadata({ ...common, snapshotTaker: store }),
    new KeepReserve({ ...common, reserve: stores.reserve }),
    new InspectFiles({
      ...common,
      ...stores,
      periodMs: parts.scrub.periodMs,
      onDamage: () => store.askForSnapshot(),
    }),
    scrub,
  ];
  if (inventoryIntervalMs !== null) {
    all.push(new RefreshInventories({ ...common, intervalMs: inventoryIntervalMs }));
  }
  return { all, scrub };
}
