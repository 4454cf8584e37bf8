import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { isStoreError } from '../storage/errors.ts';
import type { Journal } from '../storage/journal.ts';
import type { Snapshots } from '../storage/snapshots.ts';
import type { Upkeep } from '../storage/upkeep.ts';
import { restMs } from './pace.ts';
import type { Worker } from './worker.ts';

const bytesPerSecond = 2 * 1024 * 1024;
/** Read in one step. */
const stepBytes = 512 * 1024;
/** What it costs to open a file and to read its headers, in bytes. */
const fileBytes = 16 * 1024;
/** A snapshot that is taken while the journal is read takes away what was to be read next. */
const attemptsMax = 3;

export interface InspectFilesOptions {
  readonly upkeep: Upkeep;
  readonly snapshots: Pick<Snapshots, 'list' | 'read' | 'damaged'>;
  readonly journal: Pick<Journal, 'read' | 'lastSequence'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Called, at most once a round, when a lost database could not be made again from all there is. */
  readonly onDamage: () => void;
  /** So often each file is looked at: 30 days unless it says otherwise. */
  readonly periodMs?: number;
}

/**
 * Looks at what nobody reads as long as all is well: the snapshots of the rows and the journal since
 * the oldest of them, from end to end, and the headers of all files, both copies of each.
 *
 * 1. A round begins with the process, and again when the period is over. Between steps it rests.
 * 2. Damage is told once a round. A copy of a header is repaired from the other one.
 * 3. When a snapshot or the journal is damaged a fresh snapshot is asked for: it needs neither.
 */
export class InspectFiles implements Worker {
  readonly name = 'inspect-files';
  readonly #options: Required<InspectFilesOptions>;
  /** Yields how much was read. */
  #round: AsyncGenerator<number> | undefined;
  #roundStartedMs = Number.NEGATIVE_INFINITY;
  #dueAtMs = Number.NEGATIVE_INFINITY;
  #hasAsked = false;

  constructor(options: InspectFilesOptions) {
    this.#options = { periodMs: 30 * 24 * 60 * 60 * 1000, ...options };
  }

  async step(signal: AbortSignal): Promise<'idle'> {
    signal.throwIfAborted();
    const { clock, periodMs } = this.#options;
    const startedMs = clock.elapsedMs();
    if (startedMs < this.#dueAtMs) return 'idle';
    if (this.#round === undefined) this.#roundStartedMs = startedMs;
    this.#round ??= this.#inspectAll(signal);
    const bytes = await this.#advance(this.#round);
    const nowMs = clock.elapsedMs();
    this.#dueAtMs =
      this.#round === undefined
        ? Math.max(nowMs, this.#roundStartedMs + periodMs)
        : nowMs + restMs({ bytes, tookMs: nowMs - startedMs, bytesPerSecond });
    return 'idle';
  }

  async wake(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      await clock.sleep(this.#dueAtMs - clock.elapsedMs(), signal);
    } catch (error) {
      // It closes the file that it was reading.
      await this.#round?.return(0);
      throw error;
    }
  }

  /** Reads on until there is enough for a step, or the round is over. */
  async #advance(round: AsyncGenerator<number>): Promise<number> {
    let bytes = 0;
    try {
      while (bytes < stepBytes) {
        const { done, value } = await round.next();
        if (done === true) {
          this.#round = undefined;
          break;
        }
        bytes += value;
      }
    } catch (error) {
      // The next one begins anew.
      this.#round = undefined;
      throw error;
    }
    return bytes;
  }

  async *#inspectAll(signal: AbortSignal): AsyncGenerator<number> {
    this.#hasAsked = false;
    yield* this.#inspectSnapshots(signal);
    yield* this.#inspectJournal(signal);
    yield* this.#inspectHeaders(signal);
  }

  async *#inspectSnapshots(signal: AbortSignal): AsyncGenerator<number> {
    const { snapshots, log } = this.#options;
    for (const { name } of await snapshots.list()) {
      try {
        for await (const chunk of snapshots.read(name)) {
          signal.throwIfAborted();
          yield chunk.length;
        }
      } catch (cause) {
        // Another one has taken its place meanwhile.
        if (isStoreError(cause, 'BlobNotFound')) continue;
        if (!isStoreError(cause, 'BlobCorrupt')) throw cause;
        log.error('snapshot.damaged', { name, cause });
        this.#askForSnapshot();
      }
    }
    // Those were told when they were listed.
    if ((await snapshots.damaged()).length > 0) this.#askForSnapshot();
  }

  async *#inspectJournal(signal: AbortSignal): AsyncGenerator<number> {
    const { journal, log } = this.#options;
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      const since = await this.#oldestSequence();
      const damages: string[] = [];
      for await (const entry of journal.read(since)) {
        signal.throwIfAborted();
        if ('damage' in entry) damages.push(entry.damage);
        else yield entry.payload.length;
      }
      if (damages.length === 0) return;
      // What is missing may have become superfluous while it was waited for.
      if ((await this.#oldestSequence()) !== since) continue;
      for (const damage of damages) log.error('journal.damaged', { damage });
      this.#askForSnapshot();
      return;
    }
  }

  async *#inspectHeaders(signal: AbortSignal): AsyncGenerator<number> {
    const { upkeep, log } = this.#options;
    for await (const { path, found } of upkeep.inspectHeaders(signal)) {
      // What was repaired was told by who repaired it.
      if (typeof found === 'object') log.error('file.damaged', { path, damage: found.damage });
      yield fileBytes;
    }
  }

  /** The journal has to go on where the oldest snapshot ends. */
  async #oldestSequence(): Promise<number> {
    return (await this.#options.snapshots.list()).at(-1)?.sequence ?? 0;
  }

  #askForSnapshot(): void {
    if (this.#hasAsked) return;
    this.#hasAsked = true;
    this.#options.onDamage();
  }
}
