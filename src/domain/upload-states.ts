import { assert } from '../lib/assert.ts';
import { limits } from '../protocol/limits.ts';
import type { UploadedArchive, UploadRow } from '../storage/rows.ts';

/*
 *              ┌── complete ──▶ Completed ── with its archive ──▶ discarded
 *   Open ──────┼── abort ─────▶ Aborted ──┐
 *              │                          ├── discard ──▶ discarded ── isRemembered ──▶ gone
 *              └── expire ────▶ Expired ──┘
 *
 * No other code assigns an upload's state, but for the store's `abandon`, which is `abort` for many
 * uploads of a vault, and its `forget` of an archive, which takes the parts away with it. The state
 * never moves backwards. What turns out not to be discarded after all is discarded once more.
 *
 * `nowMs` is the time by which their ends are judged, and never that of a clock that may be wrong.
 */

/** All its parts are there, and are the bytes of an archive. */
export function complete(upload: UploadRow, archive: UploadedArchive, nowMs: number): UploadRow {
  return {
    ...ending(upload, nowMs),
    activeAtMs: Math.max(upload.activeAtMs, nowMs),
    state: 'Completed',
    archive,
  };
}

/** Its parts are not wanted any more. */
export function abort(upload: UploadRow, nowMs: number): UploadRow {
  return { ...ending(upload, nowMs), state: 'Aborted' };
}

/** Nothing was done to it for too long. */
export function expire(upload: UploadRow, nowMs: number): UploadRow {
  return { ...ending(upload, nowMs), state: 'Expired' };
}

/** Its parts are gone, bytes and rows. */
export function discard(upload: UploadRow): UploadRow {
  const hasEnded = upload.state === 'Aborted' || upload.state === 'Expired';
  assert(hasEnded, `upload ${upload.uploadId} needs its parts`);
  return { ...upload, isDiscarded: true };
}

/** It has parts after all: rows were lost, and came back, or the other way round. */
export function discardAgain(upload: UploadRow): UploadRow {
  assert(upload.isDiscarded, `upload ${upload.uploadId} is not discarded`);
  return { ...upload, isDiscarded: false };
}

/** An upload that was last active at this time, or before, has expired at `nowMs`. */
export function idleSinceMs(nowMs: number, uploadExpiryMs: number): number {
  return nowMs - uploadExpiryMs;
}

/** Whether parts can be put to it, and all else that is done to an upload. */
export function isOpen(upload: UploadRow, nowMs: number, uploadExpiryMs: number): boolean {
  return upload.state === 'Open' && upload.activeAtMs > idleSinceMs(nowMs, uploadExpiryMs);
}

/**
 * Whether its end can be asked for again. Developer guide, "Complete Multipart Upload" and "Abort
 * Multipart Upload": for a short period of time.
 */
export function isRemembered({ endedAtMs }: UploadRow, nowMs: number): boolean {
  return endedAtMs !== null && endedAtMs > rememberedSinceMs(nowMs);
}

/** An upload that ended at this time, or before, is not remembered at `nowMs`. */
export function rememberedSinceMs(nowMs: number): number {
  return nowMs - limits.uploadRememberedMs;
}

function ending(upload: UploadRow, nowMs: number): UploadRow {
  assert(upload.state === 'Open', `upload ${upload.uploadId} has ended before`);
  return { ...upload, endedAtMs: nowMs };
}
