import { GlacierError } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import type { Rows } from '../storage/metadata-store.ts';
import type { AccountRegion } from '../storage/rows.ts';

/**
 * Whether an Expedited retrieval that begins now is served from provisioned capacity. Developer guide,
 * "Provisioned Capacity": each unit provides for at least three in five minutes. What goes beyond, or
 * has no unit, is on demand, as many in five minutes as `expeditedOnDemandMax` says: null for all
 * that come. Throws `400` for one too many. Only those that were accepted count.
 */
export async function admitExpedited(
  { capacity, retrievals }: Rows,
  of: AccountRegion,
  {
    nowMs,
    monthNowMs,
    expeditedOnDemandMax,
  }: {
    readonly nowMs: number;
    /** The time by which capacity units expire. */
    readonly monthNowMs: number;
    readonly expeditedOnDemandMax: number | null;
  },
): Promise<boolean> {
  const sinceMs = nowMs - limits.expeditedWindowMs;
  const count = (isProvisioned: boolean) =>
    retrievals.countExpedited(of, { sinceMs, nowMs, isProvisioned });
  const units = (await capacity.list(of, monthNowMs)).length;
  if (units > 0 && (await count(true)) < units * limits.expeditedPerCapacityUnit) return true;
  if (expeditedOnDemandMax === null || (await count(false)) < expeditedOnDemandMax) return false;
  throw new GlacierError(
    'InsufficientCapacityException',
    'There is insufficient capacity to process this expedited request. Please try again later.',
  );
}
