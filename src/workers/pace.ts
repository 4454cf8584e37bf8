/** Between which speeds a reader keeps, in bytes a second. */
export interface PaceLimits {
  readonly bytesPerSecondMin: number;
  readonly bytesPerSecondMax: number;
}

/**
 * The speed at which `leftBytes` are read in `leftMs`, within the limits. When the time is over it
 * is the highest one.
 */
export function paceOf(
  { leftBytes, leftMs }: { readonly leftBytes: number; readonly leftMs: number },
  { bytesPerSecondMin, bytesPerSecondMax }: PaceLimits,
): number {
  const needed = leftMs > 0 ? (Math.max(leftBytes, 0) * 1000) / leftMs : Number.POSITIVE_INFINITY;
  return Math.min(Math.max(needed, bytesPerSecondMin), bytesPerSecondMax);
}

/**
 * How long to rest after `bytes` were read in `tookMs`, so that the two together keep the speed.
 *
 * Each rest follows from what was read just before it, and from nothing else: time that was slept
 * over, by the machine or because a disk was slow, is not made up for by a burst.
 */
export function restMs({
  bytes,
  tookMs,
  bytesPerSecond,
}: {
  readonly bytes: number;
  readonly tookMs: number;
  readonly bytesPerSecond: number;
}): number {
  const dueMs = (bytes * 1000) / bytesPerSecond;
  return dueMs - Math.min(Math.max(tookMs, 0), dueMs);
}
