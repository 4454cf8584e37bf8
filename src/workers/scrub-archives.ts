import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import { paceOf, restMs } from './pace.ts';
import { ScrubNotes, scrubStateFact } from './scrub-archives-notes.ts';
import { type ReadArchive, ScrubReader } from './scrub-archives-reader.ts';
import {
  anchored,
  completed,
  firstRound,
  nextRound,
  parseScrubState,
  type ScrubState,
  withArchive,
} from './scrub-archives-state.ts';
import { noTotals, type StoredTotals, totalsOf } from './scrub-archives-totals.ts';
import type { Worker } from './worker.ts';

/** It reads at this speed at least, so that a small store is done soon. */
const bytesPerSecondMin = 1024 * 1024;
/** What it costs to find an archive, in bytes: small ones cost more than what they hold. */
const findingBytes = 16 * 1024;
/** A step is what is read in half a second, within these. */
const stepsPerSecond = 2;
const stepBytesMin = 256 * 1024;
const stepBytesMax = 8 * 1024 * 1024;
const totalsAgeMsMax = 60_000;
/** How often a round that came to the last archive looks for others that were added since. */
const lookIntervalMs = 60 * 60 * 1000;
const lookIntervalMsMin = 1000;
/** How long it rests when there is no room to note what was found. */
const fullRestMs = 60_000;

export interface ScrubArchivesOptions {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly log: Log;
  /** In this time everything is read once. */
  readonly periodMs?: number;
  readonly bytesPerSecondMax?: number;
}

/** How far a round has come. Totals are of the archives that are in their vaults now. */
export interface ScrubProgress {
  /** 0 until the worker has looked how far it came before. */
  readonly round: number;
  readonly startedAtMs: number;
  readonly lastCompletedAtMs: number | null;
  readonly archivesDone: number;
  readonly archivesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** Archives in which the last reading found damage, whichever round that was. */
  readonly damagedCount: number;
  /** The speed that it keeps now; 0 while there is nothing to read, or no room for notes. */
  readonly bytesPerSecond: number;
}

/**
 * Reads every archive back, over and over, so that damage is found while something can still be done
 * about it.
 *
 * 1. A round goes through all archives in the order in which they were added, those that were removed
 *    and not forgotten too, and then through those that are added until its period is over. If the
 *    period is too short for that at the highest speed, the round takes longer.
 * 2. It reads as slowly as it may to be done in time, and rests after each step, whatever else goes on.
 * 3. What was found is noted with the archive. Damage is told once a round, and when it is gone.
 * 4. A restart goes on behind the archive that was noted last.
 */
export class ScrubArchives implements Worker {
  readonly name = 'scrub-archives';
  readonly #options: Required<ScrubArchivesOptions>;
  readonly #reader: ScrubReader;
  readonly #notes = new ScrubNotes();
  /** Undefined until the first step. */
  #state: ScrubState | undefined;
  #totals: StoredTotals = noTotals;
  #totalsAtMs: number | null = null;
  /** Whether the number of damaged archives changes with the next notes. */
  #isRecountDue = false;
  #bytesPerSecond = 0;
  #restMs = 0;
  /** The round of which was told that it takes too long. */
  #lateRound = 0;

  constructor(options: ScrubArchivesOptions) {
    const defaults = { periodMs: 30 * 24 * 60 * 60 * 1000, bytesPerSecondMax: 32 * 1024 * 1024 };
    this.#options = { ...defaults, ...options };
    this.#reader = new ScrubReader(options);
  }

  get progress(): ScrubProgress {
    const state = this.#state ?? { ...firstRound(0), round: 0 };
    const bytesDone = state.bytesDone + this.#reader.bytesUnderWay;
    return {
      round: state.round,
      startedAtMs: state.startedAtMs,
      lastCompletedAtMs: state.lastCompletedAtMs,
      archivesDone: state.archivesDone,
      // What was read in the round may have been removed since.
      archivesTotal: Math.max(this.#totals.archiveCount, state.archivesDone),
      bytesDone,
      bytesTotal: Math.max(this.#totals.sizeBytes, bytesDone),
      damagedCount: this.#totals.damagedCount,
      bytesPerSecond: Math.round(this.#bytesPerSecond),
    };
  }

  async step(signal: AbortSignal): Promise<'idle'> {
    try {
      await this.#readSome(signal);
    } catch (error) {
      if (!isStoreError(error, 'StoreFull')) throw error;
      // There is no room for notes: that is known, and no failure of this worker.
      this.#bytesPerSecond = 0;
      this.#restMs = fullRestMs;
    }
    return 'idle';
  }

  async wake(signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(this.#restMs, signal);
  }

  async #readSome(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let state = await this.#prepare();
    const beganMs = clock.elapsedMs();
    const bytesPerSecond = this.#choosePace(state);
    const stepBytes = within(bytesPerSecond / stepsPerSecond, stepBytesMin, stepBytesMax);
    for (let bytes = 0; bytes < stepBytes; ) {
      signal.throwIfAborted();
      const read = await this.#reader.readOn(stepBytes - bytes, signal);
      if (read === undefined) {
        await this.#rest(state);
        return;
      }
      bytes += read.bytesRead;
      if (read.ended !== null) {
        bytes += findingBytes;
        state = await this.#conclude(state, read.ended);
      }
      this.#restMs = restMs({ bytes, tookMs: clock.elapsedMs() - beganMs, bytesPerSecond });
    }
    if (this.#notes.isDue(clock.now())) await this.#write(state);
  }

  async #prepare(): Promise<ScrubState> {
    const { store, clock } = this.#options;
    const state = anchored(this.#state ?? (await this.#resume()), clock.now());
    this.#state = state;
    // Notes that could not be written go before new ones, so that they do not pile up.
    if (this.#notes.isDue(clock.now())) await this.#write(state);
    const ageMs = clock.now() - (this.#totalsAtMs ?? Number.NEGATIVE_INFINITY);
    if (ageMs < 0 || ageMs >= totalsAgeMsMax) {
      this.#totals = await totalsOf(store);
      this.#totalsAtMs = clock.now();
    }
    return state;
  }

  /** Where the round was when the server stopped. */
  async #resume(): Promise<ScrubState> {
    const { store, clock } = this.#options;
    const text = await store.read(({ facts }) => facts.get(scrubStateFact));
    const state = parseScrubState(text ?? '') ?? firstRound(clock.now());
    this.#reader.startAfter(state.ordinal);
    return state;
  }

  #choosePace(state: ScrubState): number {
    const { clock, periodMs, bytesPerSecondMax, log } = this.#options;
    const { archivesDone, archivesTotal, bytesDone, bytesTotal } = this.progress;
    const leftBytes = bytesTotal - bytesDone + (archivesTotal - archivesDone) * findingBytes;
    const leftMs = state.startedAtMs + periodMs - clock.now();
    if (leftMs <= 0 && !state.isComplete && this.#lateRound !== state.round) {
      this.#lateRound = state.round;
      log.warn('scrub.late', { round: state.round, leftBytes, bytesPerSecondMax });
    }
    this.#bytesPerSecond = paceOf({ leftBytes, leftMs }, { bytesPerSecondMin, bytesPerSecondMax });
    return this.#bytesPerSecond;
  }

  /** Notes what an archive came to. */
  async #conclude(state: ScrubState, { archive, found }: ReadArchive): Promise<ScrubState> {
    const { ordinal, last } = archive;
    const { sizeBytes } = archive.archive;
    if (found === 'gone') {
      this.#state = { ...state, ordinal };
      return this.#state;
    }
    const damage = found === 'sound' ? null : found.damage;
    if (damage !== null || (last !== null && last.damage !== null))
      await this.#tell(archive, damage);
    this.#notes.add(ordinal, damage, this.#options.clock.now());
    this.#state = withArchive(state, { ordinal, sizeBytes, isDamaged: damage !== null });
    return this.#state;
  }

  /** Says that an archive is damaged or, when `damage` is null, that it is not any more. */
  async #tell({ archive }: ReadArchive['archive'], damage: string | null): Promise<void> {
    const { store, log } = this.#options;
    const { archiveId, vaultId, sizeBytes } = archive;
    const vault = await store.read(({ vaults }) => vaults.getById(vaultId));
    const { accountId, region, vaultName } = vault ?? {};
    const facts = { archiveId, accountId, region, vaultName, vaultId, sizeBytes };
    if (damage === null) log.info('archive.healed', facts);
    else log.error('archive.damaged', { ...facts, damage });
    this.#isRecountDue = true;
  }

  /** At the end of all archives: looks for new ones now and then until the next round begins. */
  async #rest(state: ScrubState): Promise<void> {
    const { clock, periodMs } = this.#options;
    const nowMs = clock.now();
    const leftMs = state.startedAtMs + periodMs - nowMs;
    const isNew = !state.isComplete;
    const ended = isNew ? completed(state, nowMs) : state;
    const next = leftMs > 0 ? ended : nextRound(ended, nowMs);
    if (next !== state || this.#notes.isAny) await this.#write(next);
    this.#state = next;
    if (isNew) this.#tellCompleted(ended);
    if (next.round !== state.round) this.#reader.startAfter(next.ordinal);
    this.#bytesPerSecond = 0;
    this.#restMs = within(leftMs, lookIntervalMsMin, lookIntervalMs);
  }

  #tellCompleted({ round, startedAtMs, archivesDone, bytesDone, damagedCount }: ScrubState): void {
    if (archivesDone === 0) return;
    const { clock, log } = this.#options;
    const tookMs = clock.now() - startedAtMs;
    log.info('scrub.completed', { round, archivesDone, bytesDone, damagedCount, tookMs });
  }

  async #write(state: ScrubState): Promise<void> {
    await this.#notes.write(this.#options.store, state);
    if (this.#isRecountDue) this.#totalsAtMs = null;
    this.#isRecountDue = false;
  }
}

function within(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
