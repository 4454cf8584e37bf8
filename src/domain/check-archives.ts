import type { BlobStore } from '../storage/blob-store.ts';
import { ArchiveVerification } from './archive-verification.ts';
import type { DamagedArchive } from './check-report.ts';
import { type ArchiveInVault, allArchives, type RowReader } from './check-rows.ts';

export interface ArchiveCheckOptions {
  readonly rows: RowReader;
  readonly blobs: Pick<BlobStore, 'describe' | 'read'>;
  readonly signal: AbortSignal;
  /** How many archives are read at once. */
  readonly concurrency: number;
  readonly onBytes: (bytesRead: number) => void;
  /** An archive was read to its end; `damage` is null when it is sound. */
  readonly onArchive: (damaged: DamagedArchive | null) => void;
  /** Something else is wrong, as a sentence. */
  readonly onProblem: (problem: string) => void;
}

/** Reads every archive to its end, several at once. Those that vanish meanwhile are passed over. */
export async function checkArchives(options: ArchiveCheckOptions): Promise<void> {
  const failing = new AbortController();
  const signal = AbortSignal.any([options.signal, failing.signal]);
  const archives = allArchives(options.rows);
  const readInTurn = async () => {
    try {
      for (let next = await archives.next(); !next.done; next = await archives.next()) {
        await checkArchive(next.value, { ...options, signal });
      }
    } catch (error) {
      // The others need not go on for a result that nobody will see.
      failing.abort(error);
      throw error;
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, readInTurn));
}

async function checkArchive(found: ArchiveInVault, options: ArchiveCheckOptions): Promise<void> {
  const { archive, vault } = found;
  const { archiveId, vaultId, removedChange } = archive;
  if (vault === undefined && removedChange === null) {
    options.onProblem(`The archive ${archiveId} is in a vault, ${vaultId}, that has no row.`);
  }
  const outcome = await readArchive(found, options);
  if (outcome === 'gone') return;
  if (outcome === 'sound') {
    options.onArchive(null);
    return;
  }
  options.onArchive({
    accountId: vault?.accountId ?? null,
    region: vault?.region ?? null,
    vaultName: vault?.vaultName ?? null,
    archiveId,
    description: archive.description,
    sizeBytes: archive.sizeBytes,
    createdAtMs: archive.createdAtMs,
    damage: outcome.damage,
  });
}

async function readArchive(
  { archive, blobs: parts }: ArchiveInVault,
  { rows, blobs, signal, onBytes }: ArchiveCheckOptions,
): Promise<'sound' | 'gone' | { readonly damage: string }> {
  const verification = new ArchiveVerification({ store: rows, blobs, archive, parts });
  try {
    for (;;) {
      const outcome = await verification.advance(signal);
      onBytes(outcome.bytesRead);
      if (outcome.kind === 'damaged') return { damage: outcome.damage };
      if (outcome.kind === 'verified') return 'sound';
      if (outcome.kind === 'gone') return 'gone';
    }
  } catch (error) {
    if (signal.aborted) throw error;
    // One archive that can't be read is what a check is to find, and no reason to end it.
    return { damage: `It could not be read: ${error instanceof Error ? error.message : error}` };
  }
}
