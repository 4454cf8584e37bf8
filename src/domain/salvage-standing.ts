import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { ArchiveBlob, ArchiveRow, VaultRow } from '../storage/rows.ts';
import { areBlobsOf } from './archive-hashes.ts';
import type { UploadedArchiveLabel } from './blob-labels.ts';
import { allArchives } from './check-rows.ts';
import { type LabelledBlob, readLabel } from './salvage-labels.ts';
import { isLost } from './salvage-rows.ts';

export interface StandingOptions {
  readonly store: Pick<MetadataStore, 'read'>;
  readonly blobs: Pick<BlobStore, 'describe'>;
  readonly signal: AbortSignal;
}

/** An archive of parts that is in its vault by its row, and whose rows do not lead to all its blobs. */
export interface BrokenArchive {
  readonly archive: ArchiveRow;
  /** Undefined when it has no row. */
  readonly vault: VaultRow | undefined;
  /** The blob with its label; undefined when that is lost. */
  readonly own: LabelledBlob<UploadedArchiveLabel> | undefined;
}

/**
 * Finds archives of parts of which the rows list other blobs than theirs, or blobs that can't be had:
 * as when the change that put one of their parts is lost, or one that moved it. Looks up every part.
 */
export async function* brokenArchives(options: StandingOptions): AsyncGenerator<BrokenArchive> {
  for await (const { archive, blobs, vault } of allArchives(options.store)) {
    options.signal.throwIfAborted();
    const last = blobs.at(-1);
    const isOfParts = last?.treeHash === null && last.sizeBytes === 0;
    if (!isOfParts || archive.removedChange !== null) continue;
    if (await isListWhole(archive, blobs, options)) continue;
    const label = await readLabel(last.blobId, options.blobs);
    const isOwn = 'kind' in label && label.kind === 'uploaded-archive';
    yield { archive, vault, own: isOwn ? { blobId: last.blobId, label } : undefined };
  }
}

/** Whether the blobs are the archive's by their rows, and are all there. */
export async function isListWhole(
  archive: ArchiveRow,
  list: readonly ArchiveBlob[],
  { blobs }: Pick<StandingOptions, 'blobs'>,
): Promise<boolean> {
  if (!areBlobsOf(list, archive)) return false;
  for (const { blobId } of list) if (await isLost(blobId, blobs)) return false;
  return true;
}

/** Whether the blob with the label of the archive, which it had lost, is there by now. */
export async function hasLabel(
  { archive: { archiveId } }: BrokenArchive,
  { store, blobs }: StandingOptions,
): Promise<boolean> {
  const list = await store.read(({ archives }) => archives.blobs(archiveId));
  const last = list.at(-1);
  return last !== undefined && !(await isLost(last.blobId, blobs));
}
