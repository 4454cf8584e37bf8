import { dirname, join } from 'node:path';
import { StoreError } from '../errors.ts';
import type { Files, Layout } from './files.ts';

/** Makes what is missing of the store's directories, durably, and sweeps what a crash left. */
export async function prepareDirectories(files: Files, layout: Layout): Promise<void> {
  await files.makeDirectory(layout.root);
  await refuseOtherVersions(files, layout);
  for (const directory of [layout.version, layout.incoming, layout.large, layout.segments]) {
    await files.makeDirectory(directory);
  }
  for (const directory of [layout.version, layout.root, dirname(layout.root)]) {
    await files.syncDirectory(directory);
  }
  for await (const name of files.list(layout.incoming)) {
    await files.unlink(join(layout.incoming, name));
  }
}

/** The numbers of the segments there are, in ascending order. */
export async function segmentNumbers(files: Files, layout: Layout): Promise<number[]> {
  const numbers: number[] = [];
  for await (const name of files.list(layout.segments)) {
    if (/^[0-9]{10}$/.test(name)) numbers.push(Number(name));
  }
  return numbers.sort((a, b) => a - b);
}

async function refuseOtherVersions(files: Files, layout: Layout): Promise<void> {
  for await (const name of files.list(layout.root)) {
    if (!/^v[0-9]+$/.test(name) || name === 'v1') continue;
    throw new StoreError(
      'StoreUnavailable',
      `${layout.root} holds blobs in format ${name}, and this program knows v1`,
    );
  }
}
