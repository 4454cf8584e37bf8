import type { Clock } from '../lib/clock.ts';
import type { StoreCondition } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { VaultRow, VerificationSummary } from '../storage/rows.ts';
import type { WorkerState } from '../workers/runner.ts';
import type { ScrubProgress } from '../workers/scrub-archives.ts';
import {
  type ArchivePage,
  type ArchivePageQuery,
  type ArchiveStatus,
  archivePage,
  damagedArchives,
} from './archive-pages.ts';
import { KeptAnswer } from './kept-answer.ts';

export interface StoreStatus {
  readonly id: string;
  /** The version of the format on disk. */
  readonly format: number;
  /** Null when no server has the store open. */
  readonly condition: StoreCondition | null;
  /** Room on the file system that it lies on. */
  readonly freeBytes: number;
  /** The whole size of that file system. */
  readonly sizeBytes: number;
}

export interface MetadataStatus {
  /** The last batch of changes in the journal. */
  readonly sequence: number;
  readonly journalBytes: number;
  readonly lastSnapshotAtMs: number | null;
}

/** What vaults hold together. */
export interface VaultTotals {
  readonly vaultCount: number;
  readonly archiveCount: number;
  readonly sizeBytes: number;
}

export interface StatusReport {
  readonly version: string;
  /** Null when no server runs. */
  readonly startedAtMs: number | null;
  /** Where the API is served; null when no server runs. */
  readonly url: string | null;
  readonly store: StoreStatus;
  readonly masterKeyId: string;
  readonly vaults: { readonly count: number };
  readonly archives: { readonly count: number; readonly bytes: number };
  readonly metadata: MetadataStatus;
  /** The round of reading everything back; null when no server runs. */
  readonly scrub: ScrubProgress | null;
  readonly verification: Omit<VerificationSummary, 'archiveCount'> & {
    /** The first of them. */
    readonly damaged: readonly ArchiveStatus[];
  };
  readonly workers: readonly WorkerState[];
}

/** Where the facts are that stand in no row. Each is asked for whenever it is needed: cheaply. */
export interface StatusSource {
  readonly version: string;
  readonly startedAtMs: number | null;
  readonly url: string | null;
  readonly masterKeyId: () => string;
  readonly store: () => Promise<StoreStatus>;
  readonly metadata: () => Promise<MetadataStatus>;
  readonly scrub: () => ScrubProgress | null;
  readonly workers: () => readonly WorkerState[];
}

/** What is measured at each scrape. What would need all rows may be a while old. */
export interface StatusFacts {
  readonly version: string;
  readonly store: StoreStatus;
  readonly metadata: MetadataStatus;
  readonly scrub: ScrubProgress | null;
  readonly workers: readonly WorkerState[];
  readonly totals: VaultTotals;
  readonly verification: VerificationSummary;
}

const damagedShownMax = 100;
const vaultsAtOnce = 1000;

/**
 * To look at all archives takes a third of a second for a million of them, in which nothing else is
 * done: of so many the answer is kept for longer.
 */
const manyArchives = 100_000;
const manyKeptForMs = 10 * 60 * 1000;

/** Says how a server, or a data directory without one, is doing. */
export class Status {
  readonly #source: StatusSource;
  readonly #rows: Pick<MetadataStore, 'read'>;
  readonly #totals: KeptAnswer<VaultTotals>;
  readonly #verification: KeptAnswer<VerificationSummary>;

  constructor({
    source,
    rows,
    clock,
  }: {
    readonly source: StatusSource;
    readonly rows: Pick<MetadataStore, 'read'>;
    readonly clock: Clock;
  }) {
    this.#source = source;
    this.#rows = rows;
    this.#totals = new KeptAnswer(() => vaultTotals(rows), clock);
    this.#verification = new KeptAnswer(
      () => rows.read(({ verifications }) => verifications.summarise()),
      clock,
      ({ archiveCount }) => (archiveCount >= manyArchives ? manyKeptForMs : 0),
    );
  }

  async report(): Promise<StatusReport> {
    const { version, startedAtMs, url } = this.#source;
    // Asked anew: whoever has just stored an archive wants to see it.
    const { vaultCount, archiveCount, sizeBytes } = await vaultTotals(this.#rows);
    return {
      ...{ version, startedAtMs, url },
      store: await this.#source.store(),
      masterKeyId: this.#source.masterKeyId(),
      vaults: { count: vaultCount },
      archives: { count: archiveCount, bytes: sizeBytes },
      metadata: await this.#source.metadata(),
      scrub: this.#source.scrub(),
      verification: await this.#verificationReport(),
      workers: this.#source.workers(),
    };
  }

  archives(query: ArchivePageQuery): Promise<ArchivePage> {
    return archivePage(this.#rows, query);
  }

  async facts(): Promise<StatusFacts> {
    return {
      version: this.#source.version,
      store: await this.#source.store(),
      metadata: await this.#source.metadata(),
      scrub: this.#source.scrub(),
      workers: this.#source.workers(),
      totals: await this.#totals.get(),
      verification: await this.#verification.get(),
    };
  }

  async #verificationReport(): Promise<StatusReport['verification']> {
    const { unverifiedCount, damagedCount, oldestVerifiedAtMs } = await this.#verification.get();
    const damaged = await damagedArchives(this.#rows, damagedShownMax);
    return {
      unverifiedCount,
      // The list is of this moment, the count of a while ago; where the list holds all of
      // them it is also the better count.
      damagedCount:
        damaged.length < damagedShownMax ? damaged.length : Math.max(damagedCount, damaged.length),
      oldestVerifiedAtMs,
      damaged,
    };
  }
}

async function vaultTotals(rows: Pick<MetadataStore, 'read'>): Promise<VaultTotals> {
  const totals = { vaultCount: 0, archiveCount: 0, sizeBytes: 0 };
  let after: string | null = null;
  for (;;) {
    const page = await vaultsAfter(rows, after);
    for (const vault of page) {
      totals.vaultCount += 1;
      totals.archiveCount += vault.archiveCount;
      totals.sizeBytes += vault.sizeBytes;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < vaultsAtOnce) return totals;
    after = last.vaultId;
  }
}

function vaultsAfter(
  rows: Pick<MetadataStore, 'read'>,
  after: string | null,
): Promise<readonly VaultRow[]> {
  return rows.read(({ vaults }) => vaults.listAll({ after, limit: vaultsAtOnce }));
}
