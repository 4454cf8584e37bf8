import { assert } from '../lib/assert.ts';
import type { BlobPart, JobRow } from '../storage/rows.ts';

/*
 *                  ┌── succeed ──▶ Succeeded ──┐
 *   InProgress ────┤                           ├── isExpired ──▶ gone
 *                  └── fail ─────▶ Failed ─────┘
 *
 * No other code assigns a job's state. It never moves backwards.
 */

/** When a job ended, and how long it can be asked about after that. */
export interface JobEnd {
  readonly nowMs: number;
  readonly expiryMs: number;
}

/** The retrieval's bytes were read and verified, or the inventory's output is stored. */
export function succeed(
  job: JobRow,
  end: JobEnd,
  inventory?: { readonly output: BlobPart; readonly nextMarker: string | null },
): JobRow {
  assert((inventory !== undefined) === (job.inventory !== null), 'inventory jobs have an output');
  const ended = { ...ending(job, end), status: 'Succeeded' } as const;
  if (inventory === undefined || job.inventory === null) return ended;
  const { output, nextMarker } = inventory;
  return { ...ended, output, inventory: { ...job.inventory, nextMarker } };
}

/** What the job was asked for can't be done. The reason stands in the server's log. */
export function fail(job: JobRow, end: JobEnd): JobRow {
  return { ...ending(job, end), status: 'Failed' };
}

/** From then on the job answers as if it had never been. */
export function isExpired(job: JobRow, nowMs: number): boolean {
  return job.expiresAtMs !== null && job.expiresAtMs <= nowMs;
}

function ending(job: JobRow, { nowMs, expiryMs }: JobEnd): JobRow {
  assert(job.status === 'InProgress', `job ${job.jobId} has ended before`);
  return { ...job, completedAtMs: nowMs, expiresAtMs: nowMs + expiryMs };
}
