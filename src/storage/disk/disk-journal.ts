import { assert } from '../../lib/assert.ts';
import { isStoreError, StoreError } from '../errors.ts';
import type { Journal, JournalBatch, JournalDamage } from '../journal.ts';
import { isFileError, otherFailure, unlinkIfThere, writeFailure } from './files.ts';
import {
  type JournalFile,
  type JournalFilesOptions,
  listJournalFiles,
  readJournalFile,
} from './journal-files.ts';
import { readJournal } from './journal-reader.ts';
import type { EntryExtent } from './journal-scan.ts';
import { JournalWriter, type JournalWriterOptions } from './journal-writer.ts';

export interface DiskJournalOptions
  extends JournalFilesOptions,
    Omit<JournalWriterOptions, 'fileSizeBytesMin'> {
  /** Nothing is written, now or later: for reading beside a server that appends. */
  readonly isReadOnly?: boolean;
  /** Asked when the disk is full. When it resolves to `true` there is room again, perhaps. */
  readonly onFull?: () => Promise<boolean>;
  /** 32 MiB unless a test says otherwise. */
  readonly fileSizeBytesMin?: number;
}
const fileSizeBytesMinDefault = 32 * 1024 * 1024;

/**
 * The journal in files beside the blobs. FORMAT.md has every byte.
 *
 * 1. A batch is acknowledged after the sync of its file, whose name is durable before.
 * 2. Each run begins a file of its own, at its first batch.
 * 3. After a sync that failed, of the journal or of any other file that shares its gate, nothing is
 *    appended until the store is opened again.
 * 4. It grows as long as the disk has room: rows, unlike archives, are not asked to leave any.
 */
export class DiskJournal implements Journal {
  readonly #options: DiskJournalOptions;
  readonly #writer: JournalWriter;
  /** Oldest first. */
  #files: JournalFile[];
  #lastSequence: number;
  #appending: Promise<void> | undefined;
  #isClosed = false;

  /**
   * Reads the newest file that has an intact batch, and of the others their beginnings. The
   * directories are there. A file that cannot be opened at all, or only under another master key,
   * makes it throw `StoreUnavailable`.
   */
  static async open(options: DiskJournalOptions): Promise<DiskJournal> {
    try {
      const { gate, layout, isReadOnly = false } = options;
      if (!isReadOnly) await gate.sync(() => options.files.syncDirectory(layout.journal));
      const files = await listJournalFiles(options);
      const last = await findLast(files, options);
      // An entry of which a crash left the header alone does not count.
      const counted = files.map((file) =>
        file.number > last.fileNumber ? { ...file, firstSequence: undefined } : file,
      );
      return new DiskJournal(counted, last.sequence, options);
    } catch (error) {
      throw otherFailure(error, 'read');
    }
  }

  private constructor(files: JournalFile[], lastSequence: number, options: DiskJournalOptions) {
    this.#options = options;
    this.#files = files;
    this.#lastSequence = lastSequence;
    const { fileSizeBytesMin = fileSizeBytesMinDefault } = options;
    const lastNumber = files.at(-1)?.number ?? 0;
    this.#writer = new JournalWriter(lastNumber, { ...options, fileSizeBytesMin });
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  get sizeBytes(): number {
    return this.#files.reduce((sum, { endBytes }) => sum + endBytes, 0);
  }

  async append(batch: JournalBatch): Promise<void> {
    assert(this.#appending === undefined, 'batches are appended one after the other');
    assert(batch.sequence > this.#lastSequence, 'a batch has a number above all before it');
    if (this.#isClosed) throw new StoreError('StoreUnavailable', 'The journal is closed');
    assert(this.#options.isReadOnly !== true, 'what is open for reading is not appended to');
    this.#appending = this.#append(batch);
    try {
      await this.#appending;
    } catch (error) {
      throw writeFailure(error);
    } finally {
      this.#appending = undefined;
    }
  }

  async *read(afterSequence: number): AsyncGenerator<JournalBatch | JournalDamage> {
    try {
      yield* readJournal(this.#files, afterSequence, this.#options);
    } catch (error) {
      throw otherFailure(error, 'read');
    }
  }

  async forget(throughSequence: number): Promise<void> {
    assert(this.#options.isReadOnly !== true, 'what is open for reading forgets nothing');
    const isBehind = ({ firstSequence }: JournalFile) =>
      firstSequence !== undefined && firstSequence <= throughSequence + 1;
    // What lies before a file that begins with the next batch, or earlier, is not needed any more.
    const kept = Math.max(0, this.#files.findLastIndex(isBehind));
    const { files, layout, gate } = this.#options;
    try {
      gate.checkSound();
      for (const { number } of this.#files.slice(0, kept)) {
        await unlinkIfThere(files, layout.journalFile(number));
        this.#files = this.#files.filter((file) => file.number !== number);
      }
      if (kept > 0) await gate.sync(() => files.syncDirectory(layout.journal));
    } catch (error) {
      throw otherFailure(error, 'write');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#appending?.catch(() => undefined);
    await this.#writer.close();
  }

  async #append(batch: JournalBatch): Promise<void> {
    try {
      await this.#appendOnce(batch);
    } catch (error) {
      if (!isFull(error) || (await this.#options.onFull?.()) !== true) throw error;
      await this.#appendOnce(batch);
    }
  }

  async #appendOnce(batch: JournalBatch): Promise<void> {
    const { fileNumber, endBytes } = await this.#writer.append(batch);
    const before = this.#files.find(({ number }) => number === fileNumber);
    const firstSequence = before?.firstSequence ?? batch.sequence;
    const others = this.#files.filter((file) => file !== before);
    this.#files = [...others, { number: fileNumber, firstSequence, endBytes }];
    this.#lastSequence = batch.sequence;
  }
}

/**
 * The number of the last intact batch, and where it is; 0 when there is none. It is durable then,
 * unless nothing may be written.
 *
 * What is read need not be on the disk. The run before may have died between the write and the sync,
 * or its sync may have failed, and then a sync that succeeds proves nothing: so the last entry is
 * written once more, as it is. Those before it were synced before it was written.
 */
async function findLast(
  files: readonly JournalFile[],
  options: DiskJournalOptions,
): Promise<{ readonly sequence: number; readonly fileNumber: number }> {
  for (const file of files.toReversed()) {
    let sequence = 0;
    let extent: EntryExtent = { offsetBytes: 0, sizeBytes: 0 };
    for await (const part of readJournalFile(file, 0, options)) {
      if (part.kind === 'batch') [sequence, extent] = [part.batch.sequence, part.extent];
    }
    if (sequence === 0) continue;
    if (options.isReadOnly !== true)
      await writeAgain(options.layout.journalFile(file.number), extent, options);
    return { sequence, fileNumber: file.number };
  }
  return { sequence: 0, fileNumber: 0 };
}

async function writeAgain(
  path: string,
  { offsetBytes, sizeBytes }: EntryExtent,
  { files, gate }: DiskJournalOptions,
): Promise<void> {
  try {
    const file = await files.open(path, 'read and write');
    try {
      const entry = new Uint8Array(sizeBytes);
      const length = await file.read(entry, offsetBytes);
      assert(length === sizeBytes, 'an entry that was read is there');
      await file.write(entry, offsetBytes).catch((error) => {
        // Where even this takes room, a full disk is no reason not to start: the sync has to do.
        if (!isFull(error)) throw error;
      });
      await gate.sync(() => file.sync());
    } finally {
      await file.close();
    }
  } catch (error) {
    // Who cannot write cannot append either: for reading alone it is good enough.
    if (!isFileError(error, 'EROFS')) throw error;
  }
}

function isFull(error: unknown): boolean {
  return isStoreError(writeFailure(error), 'StoreFull');
}
