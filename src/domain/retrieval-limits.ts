import type { TimeBounds } from '../lib/time-bounds.ts';
import { GlacierError } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import type { Rows, WritableRows } from '../storage/metadata-store.ts';
import type { AccountRegion, RetrievalChargeRow } from '../storage/rows.ts';
import { daysInMonth } from './calendar-month.ts';
import { admitExpedited } from './expedited-capacity.ts';

/** A retrieval that is asked for. */
export interface ChargedRetrieval extends AccountRegion {
  readonly jobId: string;
  readonly tier: RetrievalChargeRow['tier'];
  /** Bytes that it retrieves: those of its range, where it has one. */
  readonly sizeBytes: number;
  /** How long it takes at least. */
  readonly delayMs: number;
  /** The time by which quotas are reckoned: one that a clock set forward does not hurry. */
  readonly nowMs: number;
}

export interface RetrievalLimitsOptions {
  /** What the time is for what lasts a month: capacity units. */
  readonly monthBounds: Pick<TimeBounds, 'earliest'>;
  /** See `admitExpedited`. */
  readonly expeditedOnDemandMax: number | null;
}

/**
 * Lets a retrieval in, in the transaction that begins its job, and notes what it counts for; or
 * refuses it, and notes nothing. Developer guide, "Data Retrieval Policies": they are about Standard
 * retrievals alone. Bulk ones count for nothing, so nothing is noted of them.
 */
export async function admitRetrieval(
  rows: WritableRows,
  retrieval: ChargedRetrieval,
  { monthBounds, expeditedOnDemandMax }: RetrievalLimitsOptions,
): Promise<void> {
  const { accountId, region, jobId, tier, sizeBytes, nowMs } = retrieval;
  const charge = { accountId, region, jobId, tier, sizeBytes, createdAtMs: nowMs };
  if (tier === 'Standard') {
    await checkPolicy(rows, retrieval);
    const countsUntilMs = nowMs + Math.max(retrieval.delayMs, limits.retrievalCountsMsMin);
    await rows.retrievals.insertCharge({ ...charge, countsUntilMs, isProvisioned: false });
  } else if (tier === 'Expedited') {
    const isProvisioned = await admitExpedited(rows, retrieval, {
      ...{ nowMs, monthNowMs: monthBounds.earliest(), expeditedOnDemandMax },
    });
    const countsUntilMs = nowMs + limits.expeditedWindowMs;
    await rows.retrievals.insertCharge({ ...charge, countsUntilMs, isProvisioned });
  }
}

/** Throws `400` when the policy that is in force does not allow the retrieval. */
async function checkPolicy({ retrievals }: Rows, retrieval: ChargedRetrieval): Promise<void> {
  const { sizeBytes, nowMs } = retrieval;
  const policy = await retrievals.policy(retrieval);
  if (policy === undefined || policy.strategy === 'None') return;
  const isAllowed =
    policy.bytesPerHour === null
      ? isWithinFreeTier({
          usedSizeBytes: await retrievals.standardSizeBytes(retrieval, {
            ...{ sinceMs: startOfDay(nowMs), nowMs },
          }),
          sizeBytes,
          nowMs,
        })
      : isWithinRate({
          rate: await retrievals.standardRate(retrieval, nowMs),
          sizeBytes,
          bytesPerHour: BigInt(policy.bytesPerHour),
        });
  if (isAllowed) return;
  throw new GlacierError(
    'PolicyEnforcedException',
    'InitiateJob request denied by current data retrieval policy.',
  );
}

/**
 * Whether a retrieval keeps the peak of all that are in progress within the policy's rate: each goes
 * at its rate from its start on, so the peak after adding one is at that start. `rate` is the sum of
 * those in progress.
 */
export function isWithinRate(options: {
  readonly rate: bigint;
  readonly sizeBytes: number;
  readonly bytesPerHour: bigint;
}): boolean {
  return options.rate + rateOf(options.sizeBytes) <= options.bytesPerHour;
}

const hourMs = 60 * 60 * 1000;
const retrievalHours = BigInt(limits.retrievalCountsMsMin / hourMs);

/**
 * Bytes an hour of a Standard retrieval, rounded up. AWS's answers on prices until 2016: it counts as
 * if it took four hours, however long it takes.
 */
export function rateOf(sizeBytes: number): bigint {
  return (BigInt(sizeBytes) + retrievalHours - 1n) / retrievalHours;
}

/** Whether a retrieval fits into what is left of the day's share of the free allowance. */
export function isWithinFreeTier(options: {
  /** Of all that were begun on that day. */
  readonly usedSizeBytes: bigint;
  readonly sizeBytes: number;
  readonly nowMs: number;
}): boolean {
  return options.usedSizeBytes + BigInt(options.sizeBytes) <= freeSizeBytesOfDay(options.nowMs);
}

/** Developer guide, "Data Retrieval Policies": the allowance of a month, pro-rated by day. */
export function freeSizeBytesOfDay(nowMs: number): bigint {
  return BigInt(limits.freeTierSizeBytesPerMonth) / BigInt(daysInMonth(nowMs));
}

/** Midnight, in UTC, before the time or at it. */
export function startOfDay(nowMs: number): number {
  return new Date(nowMs).setUTCHours(0, 0, 0, 0);
}
