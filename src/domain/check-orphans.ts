import type { Clock } from '../lib/clock.ts';
import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import { type BlobLabel, parseBlobLabel } from './blob-labels.ts';
import { findingsMax } from './check-findings.ts';
import type { OrphanReport } from './check-report.ts';
import type { RowReader } from './check-rows.ts';

/** A blob that was written so recently has, perhaps, a row that is about to be committed. */
const settlingMs = 60_000;

export interface OrphanOptions {
  readonly rows: RowReader;
  readonly blobs: Pick<BlobStore, 'list' | 'describe'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Finds blobs that no row names. Beside a running server some have no row for a moment only, since a
 * row follows its bytes and blobs move: so what was found is looked at again at the end.
 */
export async function findOrphans(options: OrphanOptions): Promise<OrphanReport> {
  const { blobs, clock, signal } = options;
  const found = new Map<BlobId, number>();
  let count = 0;
  let sizeBytes = 0;
  for await (const blob of blobs.list(signal)) {
    signal.throwIfAborted();
    if (clock.now() - blob.writtenAtMs < settlingMs || (await hasRow(options, blob.id))) continue;
    count += 1;
    sizeBytes += blob.sizeBytes;
    if (found.size < findingsMax) found.set(blob.id, blob.sizeBytes);
  }
  let archiveCount = 0;
  let partCount = 0;
  for (const [id, size] of found) {
    signal.throwIfAborted();
    const what = (await hasRow(options, id)) ? 'gone' : await lookAt(options, id);
    if (what === 'archive' || what === 'uploaded-archive') archiveCount += 1;
    if (what === 'part') partCount += 1;
    if (what !== 'gone') continue;
    count -= 1;
    sizeBytes -= size;
    found.delete(id);
  }
  return { count, sizeBytes, archiveCount, partCount, blobIds: [...found.keys()] };
}

function hasRow({ rows }: OrphanOptions, id: BlobId): Promise<boolean> {
  return rows.read((all) => all.blobs.isReferenced(id));
}

/** The kind of its label, if it has one that can be read. */
async function lookAt(
  { blobs }: OrphanOptions,
  id: BlobId,
): Promise<BlobLabel['kind'] | 'other' | 'gone'> {
  try {
    const { label } = await blobs.describe(id);
    return parseBlobLabel(label)?.kind ?? 'other';
  } catch (error) {
    if (isStoreError(error, 'BlobNotFound')) return 'gone';
    // Damaged is there, too.
    if (!isStoreError(error, 'BlobCorrupt')) throw error;
    return 'other';
  }
}
