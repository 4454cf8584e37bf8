import { ArchiveVerification } from '../domain/archive-verification.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { VerifiableArchive } from '../storage/rows.ts';

const archivesPerPage = 100;
/** How often an archive that can't be read just now is tried before it counts as damaged. */
const attemptsMax = 5;

/** An archive that was read to its end, or is not there any more. */
export interface ReadArchive {
  readonly archive: VerifiableArchive;
  readonly found: 'sound' | 'gone' | { readonly damage: string };
}

interface Reading {
  readonly archive: VerifiableArchive;
  readonly verification: ArchiveVerification;
  bytesRead: number;
  failures: number;
}

/** Reads archives in the order in which they were added, a piece at a time. */
export class ScrubReader {
  readonly #store: MetadataStore;
  readonly #blobs: BlobStore;
  #ordinal = 0;
  #page: VerifiableArchive[] = [];
  #reading: Reading | undefined;

  constructor({ store, blobs }: { readonly store: MetadataStore; readonly blobs: BlobStore }) {
    this.#store = store;
    this.#blobs = blobs;
  }

  /** How much was read of the archive that is under way. */
  get bytesUnderWay(): number {
    return this.#reading?.bytesRead ?? 0;
  }

  /** The next archive will be the one behind `ordinal`. */
  startAfter(ordinal: number): void {
    this.#ordinal = ordinal;
    this.#page = [];
    this.#reading = undefined;
  }

  /**
   * Reads about `bytesMax` of the current archive, or what is left of it; undefined when there is
   * none. Rejects when it can't be read just now, to be tried again: but one that fails over and
   * over counts as damaged, or it would hold up all behind it.
   */
  async readOn(
    bytesMax: number,
    signal: AbortSignal,
  ): Promise<{ readonly bytesRead: number; readonly ended: ReadArchive | null } | undefined> {
    this.#reading ??= await this.#next();
    const reading = this.#reading;
    if (reading === undefined) return undefined;
    const { archive } = reading;
    try {
      const outcome = await reading.verification.advance(signal, bytesMax);
      const { bytesRead } = outcome;
      reading.bytesRead += bytesRead;
      reading.failures = 0;
      if (outcome.kind === 'unfinished') return { bytesRead, ended: null };
      return { bytesRead, ended: this.#end({ archive, found: foundBy(outcome) }) };
    } catch (error) {
      reading.failures += 1;
      if (signal.aborted || reading.failures < attemptsMax) throw error;
      const damage = `It could not be read: ${error instanceof Error ? error.message : error}`;
      return { bytesRead: 0, ended: this.#end({ archive, found: { damage } }) };
    }
  }

  #end(ended: ReadArchive): ReadArchive {
    this.#ordinal = ended.archive.ordinal;
    this.#reading = undefined;
    return ended;
  }

  async #next(): Promise<Reading | undefined> {
    if (this.#page.length === 0) {
      const query = { afterOrdinal: this.#ordinal, limit: archivesPerPage };
      this.#page = await this.#store.read(({ verifications }) => verifications.list(query));
    }
    const archive = this.#page.shift();
    if (archive === undefined) return undefined;
    const verification = new ArchiveVerification({
      store: this.#store,
      blobs: this.#blobs,
      archive: archive.archive,
      parts: archive.blobs,
    });
    return { archive, verification, bytesRead: 0, failures: 0 };
  }
}

function foundBy(
  outcome:
    | { readonly kind: 'verified' | 'gone' }
    | { readonly kind: 'damaged'; readonly damage: string },
): ReadArchive['found'] {
  if (outcome.kind === 'damaged') return { damage: outcome.damage };
  return outcome.kind === 'gone' ? 'gone' : 'sound';
}
