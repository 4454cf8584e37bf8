/** The bytes of a simulated file. A copy costs nothing until one of the two is changed. */
export class SimulatedContent {
  #length = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #isShared = false;

  get length(): number {
    return this.#length;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  copy(): SimulatedContent {
    const copy = new SimulatedContent();
    copy.#length = this.#length;
    copy.#bytes = this.#bytes;
    copy.#isShared = true;
    this.#isShared = true;
    return copy;
  }

  write(bytes: Uint8Array, offset: number): void {
    const end = offset + bytes.length;
    this.#own(end);
    this.#bytes.set(bytes, offset);
    this.#length = Math.max(this.#length, end);
  }

  /** What a file is lengthened by is zeros. */
  resize(size: number): void {
    this.#own(size);
    if (size < this.#length) this.#bytes.fill(0, size, this.#length);
    this.#length = size;
  }

  #own(sizeBytes: number): void {
    const isTooSmall = sizeBytes > this.#bytes.length;
    if (!this.#isShared && !isTooSmall) return;
    const grown = isTooSmall ? Math.max(sizeBytes, 2 * this.#bytes.length) : this.#bytes.length;
    const owned = new Uint8Array(grown);
    owned.set(this.bytes);
    this.#bytes = owned;
    this.#isShared = false;
  }
}
