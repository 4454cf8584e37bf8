import { type Pins, pinGraceMs } from '../domain/pins.ts';
import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { TimeBounds } from '../lib/time-bounds.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { ArchiveBlob, ArchiveRow } from '../storage/rows.ts';
import { blobsPerRemoval, removeBlobs } from './remove-blobs.ts';
import { waitForBellOrTime } from './waiting.ts';
import type { Worker } from './worker.ts';

const archivesPerStep = 100;
const intervalMs = 60_000;

export interface ForgetArchivesOptions {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly pins: Pins;
  readonly clock: Clock;
  readonly timeBounds: TimeBounds;
  readonly log: Log;
  /** Rung when an archive was removed from its vault, or a job over one expired. */
  readonly removals: Bell;
  /** Rung by this worker when it removed blobs. */
  readonly freed: Bell;
}

/** One look at all that are to be forgotten, over as many steps as it takes. */
interface Pass {
  /** Those that are being read, or can't be removed: they come first in what is listed. */
  leftCount: number;
  /** What the first of them failed with. */
  failure: { readonly error: unknown } | undefined;
}

const newPass = (): Pass => ({ leftCount: 0, failure: undefined });

/**
 * Gives back the space of archives that were removed from their vaults, once no job needs their
 * bytes and no inventory shows them. Bytes go first, the row last: what a crash interrupts is done
 * again.
 */
export class ForgetArchives implements Worker {
  readonly name = 'forget-archives';
  readonly #options: ForgetArchivesOptions;
  #pass = newPass();

  constructor(options: ForgetArchivesOptions) {
    this.#options = options;
  }

  async step(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const { store, timeBounds, freed } = this.#options;
    const expiredByMs = timeBounds.earliest() - pinGraceMs;
    const pass = this.#pass;
    // One more, to know whether there are more.
    const found = await store.read(({ archives }) =>
      archives.listForgettable(expiredByMs, archivesPerStep + 1, pass.leftCount),
    );
    let forgotten = 0;
    for (const archive of found.slice(0, archivesPerStep)) {
      signal.throwIfAborted();
      try {
        if (await this.#forget(archive, signal)) forgotten += 1;
        else pass.leftCount += 1;
      } catch (error) {
        if (signal.aborted) throw error;
        // One whose bytes can't be removed does not keep the others; it is told at the end.
        pass.failure ??= { error };
        pass.leftCount += 1;
      }
    }
    if (forgotten > 0) freed.ring();
    if (found.length > archivesPerStep) return 'busy';
    this.#pass = newPass();
    if (pass.failure !== undefined) throw pass.failure.error;
    return 'idle';
  }

  async wake(signal: AbortSignal): Promise<void> {
    const { removals, clock } = this.#options;
    await waitForBellOrTime({ bell: removals, clock, waitMs: intervalMs, signal });
  }

  async #forget({ archiveId }: ArchiveRow, signal: AbortSignal): Promise<boolean> {
    const { store, blobs, pins, log } = this.#options;
    let parts = await store.read(({ archives }) => archives.blobs(archiveId));
    if (parts.some(({ blobId }) => pins.isHeld(blobId))) return false;
    while (parts.length > 0) {
      for (let at = 0; at < parts.length; at += blobsPerRemoval) {
        signal.throwIfAborted();
        const page = parts.slice(at, at + blobsPerRemoval);
        const { failure } = await removeBlobs(
          blobs,
          page.map(({ blobId }) => blobId),
        );
        if (failure !== undefined) throw failure.error;
      }
      // Moved meanwhile, some of its bytes are where they were not looked for.
      parts = await this.#forgetUnlessMoved(archiveId, parts);
    }
    log.info('archive.forgotten', { archiveId });
    return true;
  }

  /** Forgets the archive if its blobs are these still. Those that are not, in their places. */
  #forgetUnlessMoved(archiveId: string, removed: readonly ArchiveBlob[]): Promise<ArchiveBlob[]> {
    const ids = new Set(removed.map(({ blobId }) => blobId));
    return this.#options.store.write(async ({ archives }) => {
      const now = await archives.blobs(archiveId);
      const moved = now.filter(({ blobId }) => !ids.has(blobId));
      if (moved.length === 0) await archives.forget(archiveId);
      return moved;
    });
  }
}
