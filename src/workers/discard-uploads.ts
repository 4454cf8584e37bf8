import type { Pins } from '../domain/pins.ts';
import {
  discard,
  discardAgain,
  expire,
  idleSinceMs,
  isOpen,
  rememberedSinceMs,
} from '../domain/upload-states.ts';
import { defined } from '../lib/assert.ts';
import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { TimeBounds } from '../lib/time-bounds.ts';
import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore, WritableRows } from '../storage/metadata-store.ts';
import type { UploadEnd, UploadRow } from '../storage/rows.ts';
import { blobsPerRemoval, removeBlobs } from './remove-blobs.ts';
import { waitForBellOrTime } from './waiting.ts';
import type { Worker } from './worker.ts';

const uploadsPerStep = 100;
/** Of vaults that are gone: the rows alone, so there may be more of them. */
const abandonedPerStep = 1000;
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

/** One look at all uploads of a kind, over as many steps as it takes. */
interface Pass {
  /** The last upload that was looked at. */
  after: UploadEnd | null;
  /** What the first that could not be done with failed with. */
  failure: { readonly error: unknown } | undefined;
}

const newPass = (): Pass => ({ after: null, failure: undefined });

/**
 * Ends uploads that expired or whose vault is gone, gives back the space of those that have ended
 * without an archive, and forgets them when nobody may ask for their end any more.
 *
 * 1. Bytes go first, their rows after them: what a crash interrupts is done again.
 * 2. What fails keeps nothing else: not the other uploads, and not the other things to be done.
 * 3. While the store is full no upload expires for which somebody may wait until there is room.
 */
export class DiscardUploads implements Worker {
  readonly name = 'discard-uploads';
  readonly #options: DiscardUploadsOptions;
  #discarding = newPass();
  #forgetting = newPass();

  constructor(options: DiscardUploadsOptions) {
    this.#options = options;
  }

  async step(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const deeds = [
      () => this.#abandon(),
      () => this.#expire(),
      () => this.#discard(signal),
      () => this.#forget(),
    ];
    let outcome: 'busy' | 'idle' = 'idle';
    let failure: Pass['failure'];
    for (const deed of deeds) {
      try {
        if ((await deed()) === 'busy') outcome = 'busy';
      } catch (error) {
        if (signal.aborted) throw error;
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
    return outcome;
  }

  async wake(signal: AbortSignal): Promise<void> {
    const { aborts, clock } = this.#options;
    await waitForBellOrTime({ bell: aborts, clock, waitMs: intervalMs, signal });
  }

  /** Ends uploads that their vault left behind when it went. */
  async #abandon(): Promise<'busy' | 'idle'> {
    const { store, timeBounds } = this.#options;
    const [vaultId] = await store.read(({ uploads }) => uploads.listBereft(1));
    if (vaultId === undefined) return 'idle';
    const nowMs = timeBounds.earliest();
    await store.write(({ uploads }) => uploads.abandon(vaultId, nowMs, abandonedPerStep));
    return 'busy';
  }

  /** Ends uploads that were idle for too long. */
  async #expire(): Promise<'busy' | 'idle'> {
    const { store, blobs, timeBounds, uploadExpiryMs, log } = this.#options;
    const nowMs = timeBounds.earliest();
    const hasKept = blobs.condition === 'full' && (await this.#keepWaiting(nowMs));
    const sinceMs = idleSinceMs(nowMs, uploadExpiryMs);
    const found = await store.read(({ uploads }) => uploads.listIdle(sinceMs, 1));
    if (found.length === 0) return hasKept ? 'busy' : 'idle';
    const expired = await store.write(async ({ uploads }) => {
      const idle = await uploads.listIdle(sinceMs, uploadsPerStep);
      for (const upload of idle) await uploads.update(expire(upload, nowMs));
      return idle;
    });
    for (const { uploadId } of expired) log.info('upload.expired', { uploadId });
    return expired.length === uploadsPerStep ? 'busy' : 'idle';
  }

  /**
   * Keeps uploads from expiring whose clients may be waiting for room, once in half their time: so
   * much of it is left when there is room again. Whether there were any.
   */
  async #keepWaiting(nowMs: number): Promise<boolean> {
    const { store, uploadExpiryMs } = this.#options;
    const sinceMs = idleSinceMs(nowMs, uploadExpiryMs / 2);
    const idle = await store.read(({ uploads }) => uploads.listIdle(sinceMs, uploadsPerStep));
    const waiting = idle.filter((upload) => isOpen(upload, nowMs, uploadExpiryMs));
    if (waiting.length === 0) return false;
    await store.write(async ({ uploads }) => {
      for (const { uploadId } of waiting) await uploads.touch(uploadId, nowMs);
    });
    return true;
  }

  /** Removes what is left of uploads that have ended without an archive. */
  async #discard(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const { store, freed } = this.#options;
    const pass = this.#discarding;
    const query = { after: pass.after, limit: uploadsPerStep + 1 };
    const ended = await store.read(({ uploads }) => uploads.listToDiscard(query));
    let partCount = 0;
    for (const upload of ended.slice(0, uploadsPerStep)) {
      signal.throwIfAborted();
      if (partCount >= partsPerStep) break;
      try {
        const removed = await this.#discardOne(upload.uploadId, partsPerStep - partCount);
        partCount += removed.partCount;
        if (removed.isMore) break;
      } catch (error) {
        // One whose bytes can't be removed does not keep the others; it is told at the end.
        pass.failure ??= { error };
      }
      pass.after = endOf(upload);
    }
    if (partCount > 0) freed.ring();
    if (partCount >= partsPerStep || ended.length > uploadsPerStep) return 'busy';
    this.#discarding = newPass();
    if (pass.failure !== undefined) throw pass.failure.error;
    return 'idle';
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
      if (!isMore || partCount >= partCountMax) return { partCount, isMore };
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
    const pass = this.#forgetting;
    const endedByMs = rememberedSinceMs(timeBounds.earliest());
    const query = { endedByMs, after: pass.after, limit: uploadsPerStep + 1 };
    const found = await store.read(({ uploads }) => uploads.listOver(query));
    const over = found.slice(0, uploadsPerStep);
    const last = over.at(-1);
    let isBack = false;
    if (last !== undefined) {
      isBack = await store.write(async (rows) => {
        let count = 0;
        for (const { uploadId } of over) if (await forgetOrPutBack(uploadId, rows)) count += 1;
        return count > 0;
      });
      pass.after = endOf(last);
    }
    const isMore = found.length > uploadsPerStep;
    if (!isMore) this.#forgetting = newPass();
    return isMore || isBack ? 'busy' : 'idle';
  }
}

function endOf({ endedAtMs, uploadId }: UploadRow): UploadEnd {
  return { endedAtMs: defined(endedAtMs, `the end of upload ${uploadId}`), uploadId };
}

/** One that has parts all the same, since rows were lost, is discarded once more. Whether it is. */
async function forgetOrPutBack(uploadId: string, { uploads }: WritableRows): Promise<boolean> {
  const upload = await uploads.get(uploadId);
  if (upload?.isDiscarded !== true) return false;
  const hasParts = (await uploads.listParts({ uploadId, after: null, limit: 1 })).length > 0;
  if (!hasParts) await uploads.remove(uploadId);
  if (!hasParts || upload.state === 'Completed') return false;
  await uploads.update(discardAgain(upload));
  return true;
}
