import type { Pins } from '../domain/pins.ts';
import { discard, expire, idleSinceMs, rememberedSinceMs } from '../domain/upload-states.ts';
import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { TimeBounds } from '../lib/time-bounds.ts';
import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import { blobsPerRemoval, removeBlobs } from './remove-blobs.ts';
import { waitForBellOrTime } from './waiting.ts';
import type { Worker } from './worker.ts';

const uploadsPerStep = 100;
const partsPerStep = 1000;
const intervalMs = 60_000;

export interface DiscardUploadsOptions {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly pins: Pins;
  readonly clock: Clock;
  readonly timeBounds: TimeBounds;
  readonly log: Log;
  /** How long nothing may be done to an upload before it expires. */
  readonly uploadExpiryMs: number;
  /** Rung when uploads were aborted. */
  readonly aborts: Bell;
  /** Rung by this worker when it removed blobs. */
  readonly freed: Bell;
}

/**
 * Ends uploads that expired, gives back the space of those that have ended without an archive, and
 * forgets them when nobody may ask for their end any more. Bytes go first, their rows after them: what
 * a crash interrupts is done again.
 */
export class DiscardUploads implements Worker {
  readonly name = 'discard-uploads';
  readonly #options: DiscardUploadsOptions;

  constructor(options: DiscardUploadsOptions) {
    this.#options = options;
  }

  async step(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const steps = [await this.#expire(), await this.#discard(signal), await this.#forget()];
    return steps.includes('busy') ? 'busy' : 'idle';
  }

  async wake(signal: AbortSignal): Promise<void> {
    const { aborts, clock } = this.#options;
    await waitForBellOrTime({ bell: aborts, clock, waitMs: intervalMs, signal });
  }

  /** Ends uploads that were idle for too long. */
  async #expire(): Promise<'busy' | 'idle'> {
    const { store, clock, timeBounds, uploadExpiryMs, log } = this.#options;
    const sinceMs = idleSinceMs(timeBounds.earliest(), uploadExpiryMs);
    const found = await store.read(({ uploads }) => uploads.listIdle(sinceMs, 1));
    if (found.length === 0) return 'idle';
    const expired = await store.write(async ({ uploads }) => {
      const idle = await uploads.listIdle(sinceMs, uploadsPerStep);
      for (const upload of idle) await uploads.update(expire(upload, clock.now()));
      return idle;
    });
    for (const { uploadId } of expired) log.info('upload.expired', { uploadId });
    return expired.length === uploadsPerStep ? 'busy' : 'idle';
  }

  /** Removes what is left of uploads that have ended without an archive. */
  async #discard(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const { store, freed } = this.#options;
    const ended = await store.read(({ uploads }) => uploads.listToDiscard(uploadsPerStep));
    let [partCount, uploadCount] = [0, 0];
    let failure: { readonly error: unknown } | undefined;
    for (const { uploadId } of ended) {
      signal.throwIfAborted();
      if (partCount >= partsPerStep) break;
      try {
        const removed = await this.#discardOne(uploadId, partsPerStep - partCount);
        partCount += removed.partCount;
        if (removed.isOver) uploadCount += 1;
      } catch (error) {
        // One whose bytes can't be removed does not keep the others; it is told at the end.
        failure ??= { error };
      }
    }
    if (partCount > 0) freed.ring();
    if (failure !== undefined) throw failure.error;
    // A page of nothing but uploads whose parts are held is looked at again a while later.
    const isFull = ended.length === uploadsPerStep && uploadCount > 0;
    return isFull || partCount >= partsPerStep ? 'busy' : 'idle';
  }

  /** Removes parts of an upload, at least `partCountMax` if there are so many. */
  async #discardOne(uploadId: string, partCountMax: number) {
    const { log } = this.#options;
    let partCount = 0;
    for (;;) {
      const page = await this.#discardPage(uploadId);
      partCount += page.removed;
      if (page.isOver) log.info('upload.discarded', { uploadId });
      const isMore = !page.isOver && page.removed > 0;
      if (!isMore || partCount >= partCountMax) return { partCount, isOver: page.isOver };
    }
  }

  async #discardPage(uploadId: string): Promise<{ removed: number; isOver: boolean }> {
    const { store, blobs, pins } = this.#options;
    const query = { uploadId, after: null, limit: blobsPerRemoval };
    const parts = await store.read(({ uploads }) => uploads.listParts(query));
    const free = parts.map(({ blobId }) => blobId).filter((blobId) => !pins.isHeld(blobId));
    const { gone, failure } = await removeBlobs(blobs, free);
    const page = await this.#removeRows(uploadId, gone);
    if (failure !== undefined) throw failure.error;
    return page;
  }

  /** Removes the rows of parts whose bytes are gone, and notes it when that were the last. */
  #removeRows(
    uploadId: string,
    gone: ReadonlySet<BlobId>,
  ): Promise<{ removed: number; isOver: boolean }> {
    return this.#options.store.write(async ({ uploads }) => {
      // Looked up again: what was moved meanwhile has its bytes somewhere else now.
      const query = { uploadId, after: null, limit: blobsPerRemoval };
      const parts = await uploads.listParts(query);
      const indexes = parts.filter(({ blobId }) => gone.has(blobId)).map(({ index }) => index);
      await uploads.removeParts(uploadId, indexes);
      const isOver = (await uploads.listParts({ ...query, limit: 1 })).length === 0;
      const upload = await uploads.get(uploadId);
      if (isOver && upload !== undefined) await uploads.update(discard(upload));
      return { removed: indexes.length, isOver };
    });
  }

  /** Forgets uploads whose end nobody may ask for any more. */
  async #forget(): Promise<'busy' | 'idle'> {
    const { store, timeBounds } = this.#options;
    const endedByMs = rememberedSinceMs(timeBounds.earliest());
    const over = await store.read(({ uploads }) => uploads.listOver(endedByMs, uploadsPerStep));
    if (over.length === 0) return 'idle';
    await store.write(async ({ uploads }) => {
      for (const { uploadId } of over) await uploads.remove(uploadId);
    });
    return over.length === uploadsPerStep ? 'busy' : 'idle';
  }
}
