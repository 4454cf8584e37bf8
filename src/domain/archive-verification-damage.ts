import type { BlobId } from '../storage/blob-store.ts';

/** How many stretches of bytes a sentence names before it only counts the others. */
const namedMax = 100;

/** Bytes of an archive, both ends included, that cannot be had as they were stored. */
export interface DamagedBytes {
  readonly blobId: BlobId;
  readonly firstByte: number;
  readonly lastByte: number;
  readonly reason: string;
}

/** Damaged bytes one behind the other, in one blob. The reason is that of the first. */
interface Stretch extends DamagedBytes {
  lastByte: number;
}

/**
 * Gathers what is wrong with an archive, and says it in a few sentences. What it keeps is bounded,
 * however much is wrong: bytes that adjoin become one stretch, and stretches beyond a hundred are
 * only counted.
 */
export class ArchiveDamage {
  readonly #sentences: string[] = [];
  readonly #stretches: Stretch[] = [];
  #current: Stretch | undefined;
  #unnamedCount = 0;

  /** Something that is wrong with the archive as a whole: a sentence without its full stop. */
  add(sentence: string): void {
    this.#sentences.push(sentence);
  }

  /** By ascending position. */
  addBytes(bytes: DamagedBytes): void {
    const current = this.#current;
    if (current?.blobId === bytes.blobId && current.lastByte + 1 === bytes.firstByte) {
      current.lastByte = bytes.lastByte;
      return;
    }
    this.#current = { ...bytes };
    if (this.#stretches.length < namedMax) this.#stretches.push(this.#current);
    else this.#unnamedCount += 1;
  }

  /** All of it; null when nothing is wrong. */
  describe(): string | null {
    const sentences = [...this.#sentences, ...this.#describeBytes()];
    if (sentences.length === 0) return null;
    return sentences.map((sentence) => `${sentence}.`).join(' ');
  }

  /** One sentence for each blob. */
  #describeBytes(): string[] {
    const byBlob = Map.groupBy(this.#stretches, ({ blobId }) => blobId);
    const described = [...byBlob].map(([blobId, stretches]) => {
      const ranges = stretches.map(({ firstByte, lastByte }) => `${firstByte}-${lastByte}`);
      const first = stretches[0]?.reason ?? '';
      const why = withoutName(first, blobId);
      return `Bytes ${ranges.join(', ')} are damaged, in blob ${blobId}: ${why}`;
    });
    if (this.#unnamedCount === 0) return described;
    return [...described, `So are ${this.#unnamedCount} further stretches of bytes`];
  }
}

/** What a store says of a blob begins with its name, which the sentence has already. */
function withoutName(reason: string, blobId: BlobId): string {
  const name = `Blob ${blobId} is damaged: `;
  return reason.startsWith(name) ? reason.slice(name.length) : reason;
}
