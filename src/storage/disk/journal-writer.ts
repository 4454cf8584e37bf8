import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import type { RandomBytes } from '../../lib/random.ts';
import type { JournalBatch } from '../journal.ts';
import { AheadFiller } from './ahead-filler.ts';
import type { SealingKey } from './data-key.ts';
import { type FileIdentity, newDataKey } from './file-header.ts';
import type { Files, Layout, OpenFile } from './files.ts';
import { growingContentOffset, writeGrowingHeaders } from './header-copies.ts';
import { nextEntryOffset, sealEntry } from './journal-entry.ts';
import type { MasterKeys } from './master-keys.ts';
import type { WriteGate } from './write-gate.ts';

export interface JournalWriterOptions {
  readonly files: Files;
  readonly layout: Layout;
  readonly gate: WriteGate;
  readonly storeId: string;
  readonly masterKeys: MasterKeys;
  readonly randomBytes: RandomBytes;
  readonly clock: Clock;
  /** A file that has grown to this is left for a new one. */
  readonly fileSizeBytesMin: number;
}

/** The file that is being appended to. */
interface CurrentFile {
  readonly number: number;
  readonly file: OpenFile;
  readonly key: SealingKey;
  readonly filler: AheadFiller;
  /** Where the last durable entry ends. */
  endBytes: number;
}

/** Where a batch is. */
export interface WrittenEntry {
  readonly fileNumber: number;
  readonly endBytes: number;
}

const aheadBytes = 256 * 1024;
/** Of a larger entry the sync costs so much that filling ahead would gain nothing. */
const smallEntryBytesMax = aheadBytes / 4;

/**
 * Appends to the newest file of the journal.
 *
 * 1. `append` resolves after the sync that followed the write; the name of the file, and both
 *    headers, were durable before the write.
 * 2. A file that an earlier run began is never appended to: its key must not seal again, and what a
 *    crash left at its end stays behind the last entry that counts.
 * 3. After a write that failed the file ends where it ended before, or is left for a new one.
 */
export class JournalWriter {
  readonly #with: JournalWriterOptions;
  #number: number;
  #current: CurrentFile | undefined;

  /** `lastNumber` is that of the newest file there is. */
  constructor(lastNumber: number, options: JournalWriterOptions) {
    this.#number = lastNumber;
    this.#with = options;
  }

  /** What fails in it is thrown as it comes. */
  async append(batch: JournalBatch): Promise<WrittenEntry> {
    const { gate } = this.#with;
    gate.checkSound();
    const current = await this.#currentFile();
    const { number, file, key } = current;
    const offsetBytes = nextEntryOffset(current.endBytes);
    const entry = sealEntry(key, batch, { fileNumber: number, offsetBytes });
    const endBytes = offsetBytes + entry.length;
    try {
      // No byte more than the entry: one that was not written to its end does not open.
      await file.write(entry, offsetBytes);
    } catch (error) {
      await this.#takeBack(current);
      throw error;
    }
    if (entry.length <= smallEntryBytesMax) await current.filler.fill(file, endBytes);
    await gate.sync(() => file.sync());
    current.endBytes = endBytes;
    return { fileNumber: number, endBytes };
  }

  /** Leaves the newest file as it is. */
  async close(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return;
    const { file, endBytes } = current;
    try {
      // After a sync that failed nothing is changed any more.
      this.#with.gate.checkSound();
      await file.truncate(endBytes);
    } catch {
      // It would only have given back what was filled ahead: zeros end the file as well.
    }
    // All in it is synced or given up: closing has nothing left to report.
    await file.close().catch(() => undefined);
  }

  async #currentFile(): Promise<CurrentFile> {
    const isFull = (this.#current?.endBytes ?? 0) >= this.#with.fileSizeBytesMin;
    if (isFull) await this.close();
    this.#current ??= await this.#begin();
    return this.#current;
  }

  async #begin(): Promise<CurrentFile> {
    const { files, layout, gate, storeId, randomBytes, clock } = this.#with;
    // Never again the number of an attempt that failed: its file may be there after all.
    this.#number += 1;
    const identity: FileIdentity = {
      kind: 'journal',
      storeId,
      fileId: Buffer.from(randomBytes(16)).toString('hex'),
      number: this.#number,
      createdAtMs: clock.now(),
    };
    const { key, wrappedKey } = newDataKey(identity, this.#with);
    const path = layout.journalFile(this.#number);
    const file = await files.create(path);
    try {
      const header = { ...identity, wrappedKey, contentBytes: 0, descriptionBytes: 0 };
      await writeGrowingHeaders(file, header);
      // Before the first entry: where there is one, there are headers, or they are damaged.
      await gate.sync(() => file.sync());
      await gate.sync(() => files.syncDirectory(layout.journal));
    } catch (error) {
      await file.close().catch(() => undefined);
      // If it stays, it is a file without entries, which is nothing.
      await files.unlink(path).catch(() => undefined);
      throw error;
    }
    const endBytes = await file.size();
    assert(endBytes === growingContentOffset, 'a new file ends where its entries will begin');
    const filler = new AheadFiller({ aheadBytes, limitBytes: this.#with.fileSizeBytesMin });
    return { number: this.#number, file, key, filler, endBytes };
  }

  /** Ends the file where it ended before a write that failed. */
  async #takeBack(current: CurrentFile): Promise<void> {
    try {
      await current.file.truncate(current.endBytes);
    } catch {
      // What is left of the entry is not whole, and stays as after a crash.
      await this.close();
      return;
    }
    current.filler.noteCut(current.endBytes);
    await this.#with.gate.sync(() => current.file.sync());
  }
}
