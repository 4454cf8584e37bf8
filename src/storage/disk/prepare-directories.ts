import { dirname, join } from 'node:path';
import type { Log } from '../../lib/log.ts';
import { StoreError } from '../errors.ts';
import { formatVersion } from './file-header.ts';
import type { Files, Layout } from './files.ts';
import { syncDirectories } from './sync-directories.ts';

interface Dependencies {
  readonly files: Files;
  readonly layout: Layout;
  readonly log: Log;
}

/**
 * Makes what is missing of the store's directories, durably, and sweeps what a crash left. What is in
 * them is made durable too: a snapshot that was only named when its run died would be relied upon.
 */
export async function prepareDirectories({ files, layout, log }: Dependencies): Promise<void> {
  await files.makeDirectory(layout.root);
  await refuseOtherVersions(files, layout);
  const { root, version, incoming, large, segments, journal, snapshots } = layout;
  const made = [version, incoming, large, segments, journal, snapshots];
  for (const directory of made) await files.makeDirectory(directory);
  const inside = [dirname(root), root, version, large, segments, journal, snapshots];
  await syncDirectories(inside, (directory) => files.syncDirectory(directory));
  for await (const name of files.list(incoming)) {
    const path = join(incoming, name);
    // It takes room, and nothing else: no reason not to start.
    await files.unlink(path).catch((cause) => log.warn('incoming.kept', { path, cause }));
  }
}

/** Throws `StoreUnavailable` when there is another version of the format than ours. */
export async function refuseOtherVersions(files: Files, layout: Layout): Promise<void> {
  const known = `v${formatVersion}`;
  for await (const name of files.list(layout.root)) {
    if (!/^v[0-9]+$/.test(name) || name === known) continue;
    throw new StoreError(
      'StoreUnavailable',
      `${layout.root} holds blobs in format ${name}, and this program knows ${known}`,
    );
  }
}
