import { Status } from './admin/status.ts';
import type { Host } from './compose.ts';
import type { Config } from './config/config.ts';
import { check as checkAll } from './domain/check.ts';
import type { CheckEvent, CheckReport } from './domain/check-report.ts';
import { type SalvageReport, salvage } from './domain/salvage.ts';
import { packageVersion } from './lib/node/package-version.ts';
import { StoreError } from './storage/errors.ts';
import {
  openToRead,
  type Rebuilt,
  type RotationReport,
  rebuildStores,
  rotateKeysOf,
} from './storage/open-offline.ts';
import { isSalvageDue, noteRepairFinished } from './storage/repair-state.ts';

/** How a data directory is doing that no server runs on. Changes nothing in it. */
export async function openStatus(
  config: Config,
  host: Host,
): Promise<{ readonly status: Status } & AsyncDisposable> {
  const stores = await openToRead(config, host);
  const status = new Status({
    rows: stores.rows,
    clock: host.clock,
    source: {
      version: packageVersion(),
      ...{ startedAtMs: null, url: null },
      masterKeyId: () => stores.masterKeyId,
      store: () => stores.describe(),
      metadata: () => stores.describeMetadata(),
      scrub: () => null,
      workers: () => [],
    },
  });
  return { status, [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose]() };
}

/** Reads everything back and compares, also beside a running server. Changes nothing. */
export async function check(
  config: Config,
  host: Host & {
    readonly signal: AbortSignal;
    readonly onProgress: (event: CheckEvent) => void;
  },
): Promise<CheckReport> {
  await using stores = await openToRead(config, host);
  const count = await stores.unreplayedBatches();
  if (count > 0) throw behind(config, count);
  return await checkAll({ ...host, ...stores });
}

/** How the database was made again, and out of what. */
export interface RepairReport extends Rebuilt {
  /** Null when nothing of the rows was lost. */
  readonly salvage: SalvageReport | null;
}

/** Makes the database again from what lies with the blobs. No server runs on it. */
export async function repair(
  config: Config,
  host: Host & { readonly signal: AbortSignal },
): Promise<RepairReport> {
  await using stores = await rebuildStores(config, host);
  const { rebuilt, metadata: store, blobs } = stores;
  // Where nothing was lost, a blob without a row is what a crash left behind, and no archive. What an
  // earlier repair has lost, or a journal that was lost, is known until one has come to this point.
  const isWhole = !(await isSalvageDue(store));
  const salvaged = isWhole ? null : await salvage({ ...host, store, blobs });
  if (!isWhole) await noteRepairFinished(store);
  await stores.metadata.takeSnapshot(host.signal);
  // In the place of the older one: the journal does not lead on from before what was lost.
  if (!isWhole) await stores.metadata.takeSnapshot(host.signal);
  return { ...rebuilt, salvage: salvaged };
}

/** To compare blobs with rows of earlier would find much that is not so. */
function behind({ metadata: { path } }: Config, count: number): StoreError {
  const batches = count === 1 ? 'the last batch' : `the last ${count} batches`;
  return new StoreError(
    'StoreUnavailable',
    `The database ${path} does not have ${batches} of its journal yet, as after a power cut. ` +
      'Nothing is lost: start the server once, which replays them, and check again.',
  );
}

/** Puts everything under a new master key. No server runs on it. */
export async function rotateKeys(config: Config, host: Host): Promise<RotationReport> {
  return await rotateKeysOf(config, host);
}
