import type { JournalBatch } from '../journal.ts';
import { isFileError, type OpenFile } from './files.ts';
import { growingContentOffset } from './header-copies.ts';
import {
  decodeEntryHeader,
  type EntryHeader,
  entryAlignmentBytes,
  entryHeaderBytes,
  entryMagic,
  entrySizeBytes,
  nextEntryOffset,
  openEntry,
} from './journal-entry.ts';

/** What is found in a file of the journal, in order. */
export type JournalPart =
  | { readonly kind: 'batch'; readonly batch: JournalBatch; readonly extent: EntryExtent }
  /**
   * Bytes that are not an intact entry. `isCertain`: batches were there that this scan is about.
   * Else they may be what a crash left of one whose `append` did not end.
   */
  | { readonly kind: 'damage'; readonly what: string; readonly isCertain: boolean };

/** Where the bytes of an entry are. */
export interface EntryExtent {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

interface Place {
  readonly number: number;
  /** How far the file is looked at. */
  readonly endBytes: number;
}

interface Scan extends Place {
  /** Nothing when both headers of the file are damaged: its entries are seen then, and stay shut. */
  readonly key: Uint8Array | undefined;
  /** Batches up to this one are passed over. */
  readonly afterSequence: number;
}

/**
 * Walks the entries of a file. After what is damaged it goes on at the next intact entry, so that
 * one byte does not hide the batches that follow.
 */
export async function* scanJournalFile(file: OpenFile, scan: Scan): AsyncGenerator<JournalPart> {
  const window = new FileWindow(file);
  for await (const stop of entriesOf(window, scan)) {
    if (stop.kind === 'gap') {
      yield damage(`what lies at offset ${stop.offsetBytes} is no intact entry`);
      continue;
    }
    const { header } = stop;
    const { offsetBytes } = header.place;
    const isUnreadable = window.takeUnreadable(offsetBytes);
    // What lies before a batch that is passed over would be passed over, too.
    if (header.sequence <= scan.afterSequence) continue;
    if (isUnreadable) yield unreadable(offsetBytes);
    if (scan.key === undefined) {
      yield damage('both copies of its header, and so of its key, are damaged', true);
      return;
    }
    const sizeBytes = entrySizeBytes(header.payloadBytes);
    const entry = await window.at(offsetBytes, sizeBytes);
    const batch = openEntry(scan.key, header, entry.subarray(entryHeaderBytes));
    if (batch === undefined) yield damage(`the entry at offset ${offsetBytes} is damaged`);
    else yield { kind: 'batch', batch, extent: { offsetBytes, sizeBytes } };
  }
  if (window.takeUnreadable(scan.endBytes)) yield unreadable(scan.endBytes);
}

/** The sequence number of the first entry of a file whose header is intact. */
export async function firstSequenceIn(file: OpenFile, place: Place): Promise<number | undefined> {
  for await (const stop of entriesOf(new FileWindow(file), place)) {
    if (stop.kind === 'entry') return stop.header.sequence;
  }
  return undefined;
}

/** An entry whose header is intact; or a stretch without any, in front of one. */
type Stop =
  | { readonly kind: 'entry'; readonly header: EntryHeader }
  | { readonly kind: 'gap'; readonly offsetBytes: number };

async function* entriesOf(window: FileWindow, { number, endBytes }: Place): AsyncGenerator<Stop> {
  let expected = growingContentOffset;
  let at: number | undefined = expected;
  while (at !== undefined) {
    at = await window.find(entryMagic, at, endBytes);
    if (at === undefined) return;
    const bytes = await window.at(at, entryHeaderBytes);
    const header = decodeEntryHeader(bytes, { fileNumber: number, offsetBytes: at });
    const end: number = at + entrySizeBytes(header?.payloadBytes ?? 0);
    // One that goes on behind the end of the file is the last thing that a crash left of it.
    if (header === undefined || end > endBytes) {
      at += entryAlignmentBytes;
      continue;
    }
    if (at !== expected) yield { kind: 'gap', offsetBytes: expected };
    yield { kind: 'entry', header };
    expected = nextEntryOffset(end);
    at = expected;
  }
}

function damage(what: string, isCertain = false): JournalPart {
  return { kind: 'damage', what, isCertain };
}

function unreadable(beforeBytes: number): JournalPart {
  return damage(`the disk does not give back what lies before offset ${beforeBytes}`, true);
}

/** Whether a disk does not give back what it holds, whoever asks and whenever. */
export function isMediaError(error: unknown): boolean {
  return ['EIO', 'EUCLEAN', 'EBADMSG'].some((code) => isFileError(error, code));
}

/** Read at once: many small entries. */
const windowBytes = 256 * 1024;
/** What is lost around a place that cannot be read: as much as disks and systems read at least. */
const blockBytes = 4096;

/** Reads a file by stretches, and goes on behind what its disk does not give back. */
class FileWindow {
  readonly #file: OpenFile;
  #bytes = Buffer.alloc(0);
  #start = 0;
  /** Where blocks could not be read. They are taken for zeros. */
  #unreadable: number[] = [];

  constructor(file: OpenFile) {
    this.#file = file;
  }

  /** The bytes of a stretch; fewer when the file ends within it. */
  async at(offset: number, length: number): Promise<Buffer> {
    const isThere = offset >= this.#start && offset + length <= this.#start + this.#bytes.length;
    if (!isThere) {
      this.#bytes = await this.#read(offset, Math.max(length, windowBytes));
      this.#start = offset;
    }
    return this.#bytes.subarray(offset - this.#start, offset - this.#start + length);
  }

  /** Where `bytes` next stand, from `from` on, at a place where an entry may begin. */
  async find(bytes: Uint8Array, from: number, end: number): Promise<number | undefined> {
    for (let at = from; at + entryHeaderBytes <= end; ) {
      await this.at(at, entryHeaderBytes);
      const found = this.#bytes.indexOf(bytes, at - this.#start);
      if (found < 0) {
        // Windows begin where entries may begin: none begins in one and goes on in the next.
        at = nextEntryOffset(this.#start + Math.max(this.#bytes.length, 1));
        continue;
      }
      at = nextEntryOffset(this.#start + found);
      if (at === this.#start + found) return at + entryHeaderBytes <= end ? at : undefined;
    }
    return undefined;
  }

  /** Whether something before `offset` could not be read; told once. */
  takeUnreadable(offset: number): boolean {
    const count = this.#unreadable.length;
    this.#unreadable = this.#unreadable.filter((at) => at >= offset);
    return this.#unreadable.length < count;
  }

  async #read(offset: number, length: number): Promise<Buffer<ArrayBuffer>> {
    const bytes = Buffer.allocUnsafe(length);
    try {
      return bytes.subarray(0, await this.#file.read(bytes, offset));
    } catch (error) {
      if (!isMediaError(error)) throw error;
    }
    const end = Math.min(offset + length, await this.#file.size());
    for (let at = offset; at < end; ) {
      const next = Math.min(end, (Math.floor(at / blockBytes) + 1) * blockBytes);
      try {
        await this.#file.read(bytes.subarray(at - offset, next - offset), at);
      } catch (error) {
        if (!isMediaError(error)) throw error;
        bytes.fill(0, at - offset, next - offset);
        this.#unreadable.push(at);
      }
      at = next;
    }
    return bytes.subarray(0, Math.max(0, end - offset));
  }
}
