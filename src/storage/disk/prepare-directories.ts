import { dirname, join } from 'node:path';
import { StoreError } from '../errors.ts';
import { formatVersion } from './file-header.ts';
import type { Files, Layout } from './files.ts';

/** Makes what is missing of the store's directories, durably, and sweeps what a crash left. */
export async function prepareDirectories(files: Files, layout: Layout): Promise<void> {
  await files.makeDirectory(layout.root);
  await refuseOtherVersions(files, layout);
  const { version, incoming, large, segments, journal, snapshots } = layout;
  for (const directory of [version, incoming, large, segments, journal, snapshots]) {
    await files.makeDirectory(directory);
  }
  for (const directory of [layout.version, layout.root, dirname(layout.root)]) {
    await files.syncDirectory(directory);
  }
  for await (const name of files.list(layout.incoming)) {
    await files.unlink(join(layout.incoming, name));
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
