import type { GaugeName } from './metric-table.ts';
import type { StatusFacts } from './status.ts';

/** A value of a gauge, with its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What the gauges show. */
export function gaugeValues(facts: StatusFacts): Readonly<Record<GaugeName, readonly Sample[]>> {
  const { store, metadata, scrub, totals, verification, workers } = facts;
  const conditions = ['ready', 'full', 'failed'] as const;
  return {
    build: [{ labels: { version: facts.version }, value: 1 }],
    storeCondition: conditions.map((condition) => ({
      labels: { condition },
      value: Number(store.condition === condition),
    })),
    storeFreeBytes: plain(store.freeBytes),
    storeSizeBytes: plain(store.sizeBytes),
    vaults: plain(totals.vaultCount),
    archives: plain(totals.archiveCount),
    archiveBytes: plain(totals.sizeBytes),
    journalBytes: plain(metadata.journalBytes),
    journalSequence: plain(metadata.sequence),
    lastSnapshot: date(metadata.lastSnapshotAtMs),
    scrubRound: plain(scrub?.round),
    scrubArchivesDone: plain(scrub?.archivesDone),
    scrubArchivesTotal: plain(scrub?.archivesTotal),
    scrubBytesDone: plain(scrub?.bytesDone),
    scrubBytesTotal: plain(scrub?.bytesTotal),
    scrubRate: plain(scrub?.bytesPerSecond),
    scrubCompleted: date(scrub?.lastCompletedAtMs),
    archivesDamaged: plain(verification.damagedCount),
    archivesUnverified: plain(verification.unverifiedCount),
    oldestVerified: date(verification.oldestVerifiedAtMs),
    workerFailing: workers.map(({ name, state }) => ({
      labels: { worker: name },
      value: Number(state === 'failing'),
    })),
    workerLastFailure: workers.flatMap(({ name, lastErrorAtMs }) =>
      date(lastErrorAtMs).map(({ value }) => ({ labels: { worker: name }, value })),
    ),
  };
}

function plain(value: number | undefined): Sample[] {
  return value === undefined ? [] : [{ labels: {}, value }];
}

/** Dates are seconds since 1970, as Prometheus likes them. */
function date(ms: number | null | undefined): Sample[] {
  return typeof ms === 'number' ? [{ labels: {}, value: ms / 1000 }] : [];
}
