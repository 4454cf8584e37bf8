import type { Clock } from '../../lib/clock.ts';
import { StoreError } from '../errors.ts';
import type { Snapshot, Snapshots } from '../snapshots.ts';

/** Snapshots that their process takes with it. For tests. */
export class MemorySnapshots implements Snapshots {
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly snapshot: Snapshot; readonly bytes: Uint8Array }>();
  readonly #damaged = new Set<string>();
  readonly #headless = new Set<string>();
  #written = 0;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  async list(): Promise<Snapshot[]> {
    const all = [...this.#kept.values()].map(({ snapshot }) => snapshot).reverse();
    return all.filter(({ name }) => !this.#headless.has(name));
  }

  async damaged(): Promise<string[]> {
    return [...this.#headless];
  }

  async write(source: AsyncIterable<Uint8Array>, sequence: number): Promise<Snapshot> {
    const bytes = Buffer.concat(await Array.fromAsync(source, (chunk) => chunk.slice()));
    this.#written += 1;
    const name = `snapshot-${this.#written}`;
    const takenAtMs = this.#clock.now();
    const snapshot = { name, sequence, takenAtMs, sizeBytes: bytes.length };
    this.#kept.set(name, { snapshot, bytes });
    return snapshot;
  }

  async *read(name: string): AsyncGenerator<Uint8Array> {
    const bytes = this.#kept.get(name)?.bytes;
    if (bytes === undefined) throw new StoreError('BlobNotFound', `There is no ${name}`);
    const half = Math.floor(bytes.length / 2);
    yield bytes.subarray(0, half);
    if (this.#damaged.has(name)) throw new StoreError('BlobCorrupt', `${name} is damaged`);
    yield bytes.subarray(half);
  }

  async remove(name: string): Promise<void> {
    this.#kept.delete(name);
    this.#headless.delete(name);
  }

  /** Lets `read` find damage half-way. */
  damage(name: string): void {
    this.#damaged.add(name);
  }

  /** Lets `list` leave it out. */
  damageHeader(name: string): void {
    this.#headless.add(name);
  }
}
