import { Status } from './admin/status.ts';
import type { Host } from './compose.ts';
import type { Config } from './config/config.ts';
import { check as checkAll } from './domain/check.ts';
import type { CheckEvent, CheckReport } from './domain/check-report.ts';
import { type SalvageReport, salvage } from './domain/salvage.ts';
import { packageVersion } from './lib/node/package-version.ts';
import {
  openToRead,
  type Rebuilt,
  type RotationReport,
  rebuildStores,
  rotateKeysOf,
} from './storage/open-offline.ts';

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
  // Where nothing was lost, a blob without a row is what a crash left behind, and no archive.
  const isWhole = rebuilt.lost.length === 0;
  const salvaged = isWhole ? null : await salvage({ ...host, store, blobs });
  await stores.metadata.takeSnapshot(host.signal);
  return { ...rebuilt, salvage: salvaged };
}

/** Puts everything under a new master key. No server runs on it. */
export async function rotateKeys(config: Config, host: Host): Promise<RotationReport> {
  return await rotateKeysOf(config, host);
}
