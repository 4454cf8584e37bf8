import type { BlobId } from '../storage/blob-store.ts';

/** How many sentences, and how many stretches of bytes, are told before others are only counted. */
const namedMax = 100;

/** Bytes of an archive, both ends included, that cannot be had as they were stored. */
export interface DamagedBytes {
  readonly blobId: BlobId;
  /** Which part the blob is, in an archive that was uploaded in parts. */
  readonly partName: string | null;
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
 * however much is wrong: bytes that adjoin become one stretch, and stretches and sentences beyond a
 * hundred are only counted.
 */
export class ArchiveDamage {
  readonly #sentences: string[] = [];
  readonly #stretches: Stretch[] = [];
  #current: Stretch | undefined;
  #untoldCount = 0;
  #unnamedCount = 0;

  /** Something that is wrong beside damaged bytes: a sentence without its full stop. */
  add(sentence: string): void {
    if (this.#sentences.length < namedMax) this.#sentences.push(sentence);
    else this.#untoldCount += 1;
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
    const sentences = [...this.#describeOthers(), ...this.#describeBytes()];
    if (sentences.length === 0) return null;
    return sentences.map((sentence) => `${sentence}.`).join(' ');
  }

  #describeOthers(): string[] {
    if (this.#untoldCount === 0) return this.#sentences;
    return [...this.#sentences, `There are ${this.#untoldCount} further faults like these`];
  }

  /** One sentence for each blob. */
  #describeBytes(): string[] {
    const byBlob = Map.groupBy(this.#stretches, ({ blobId }) => blobId);
    const described = [...byBlob].map(([blobId, stretches]) => {
      const ranges = stretches.map(({ firstByte, lastByte }) => `${firstByte}-${lastByte}`);
      const { reason = '', partName = null } = stretches[0] ?? {};
      const where = partName === null ? `blob ${blobId}` : `${partName}, blob ${blobId}`;
      return `Bytes ${ranges.join(', ')} are damaged, in ${where}: ${withoutName(reason, blobId)}`;
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
