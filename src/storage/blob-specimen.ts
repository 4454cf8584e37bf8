import type { SimulatedClock } from '../lib/clock.ts';
import {
  type BlobId,
  type BlobRange,
  type BlobStore,
  type BlobWriting,
  frameSizeBytes,
  type StoredBlob,
} from './blob-store.ts';
import type { ContractCase, ContractSubject } from './contract-suite.ts';

/** A backend as the contract suite sees it. */
export type BlobStoreSubject = ContractSubject<BlobSpecimen>;

/** An open store and what can be done to it. A missing ability needs its cases excepted. */
export interface BlobSpecimen extends AsyncDisposable {
  /** The store as it is open now: another one after `crash` and `reopen`. */
  readonly store: BlobStore;
  readonly clock: SimulatedClock;
  /** Drops the store as a power cut would, without closing it, and opens it again. */
  crash?(): Promise<void>;
  /** Closes the store and opens it again. */
  reopen?(): Promise<void>;
  /** From now on there is room to write `bytes`, headers included; `Infinity` ends the shortage. */
  setRoom?(bytes: number): void;
  /** Whether syncs fail from now on. */
  setSyncsFail?(isFailing: boolean): void;
  /** One damage to each class of byte that is stored for the blob, its label included. */
  damages?(blob: SampleBlob): Promise<readonly BlobDamage[]>;
}

/** A blob to be damaged: how many bytes there are of each kind. */
export interface SampleBlob {
  readonly id: BlobId;
  readonly sizeBytes: number;
  readonly labelSizeBytes: number;
}

export interface BlobDamage {
  readonly what: string;
  /** Whether reads may still succeed, since the byte bears no meaning. */
  readonly isHarmless?: boolean;
  /** `label`: `describe` fails, and a read need not. Anything else makes a read of it all fail. */
  readonly strikes?: 'label';
  /** Does the damage; what it returns makes it good again. */
  apply(): Promise<() => Promise<void>>;
}

/** A case of the contract. */
export type BlobCase = ContractCase<BlobSpecimen>;

/** Sizes around every edge that a store may have. */
export const edgeSizes = [
  0,
  1,
  1000,
  4095,
  256 * 1024,
  256 * 1024 + 1,
  frameSizeBytes - 1,
  frameSizeBytes,
  frameSizeBytes + 1,
  3 * frameSizeBytes + 17,
] as const;

/** `size` bytes that look random and are the same for the same `seed`. */
export function sampleBytes(size: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = (seed * 0x9e3779b9) | 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}

/** Yields `bytes` cut into chunks of the given sizes, over and over. */
export async function* chunked(bytes: Uint8Array, sizes: readonly number[] = [65_536]) {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    // A copy: a chunk that was yielded is the store's.
    yield bytes.slice(at, at + size);
    at += size;
  }
}

export const sampleLabel = '{"of":"a sample — ein Muster — 見本"}';

/** For writes of whose label the test has nothing to say. */
export function sampleWriting(writing: Partial<BlobWriting> = {}): BlobWriting {
  return { label: () => sampleLabel, ...writing };
}

/** Writes `bytes` and returns what the store says of them. */
export function writeBytes(
  store: BlobStore,
  bytes: Uint8Array,
  label = sampleLabel,
): Promise<StoredBlob> {
  return store.write(chunked(bytes), { label: () => label });
}

/** Reads a range; `onChunk` sees each chunk before the next is asked for. */
export async function readBytes(
  store: BlobStore,
  id: BlobId,
  range: BlobRange,
  onChunk?: (chunk: Uint8Array) => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(id, range)) {
    onChunk?.(chunk);
    chunks.push(Uint8Array.from(chunk));
  }
  return new Uint8Array(Buffer.concat(chunks));
}

export async function listIds(store: BlobStore): Promise<BlobId[]> {
  const ids: BlobId[] = [];
  for await (const { id } of store.list()) ids.push(id);
  return ids.sort();
}

/** A source that keeps account of how it is used, and waits for ever where it is told to. */
export class WatchedSource implements AsyncIterable<Uint8Array> {
  pulls = 0;
  returns = 0;
  /** Resolves when the source is asked for more than it has and does not answer. */
  readonly stalled: Promise<void>;
  readonly #chunks: readonly Uint8Array[];
  readonly #atEnd: 'end' | 'stall' | Error;
  #announceStall: () => void = () => undefined;

  constructor(chunks: readonly Uint8Array[], atEnd: 'end' | 'stall' | Error) {
    this.#chunks = chunks;
    this.#atEnd = atEnd;
    this.stalled = new Promise((resolve) => {
      this.#announceStall = resolve;
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        const value = this.#chunks[this.pulls++];
        if (value !== undefined) return { done: false, value: value.slice() };
        if (this.#atEnd instanceof Error) throw this.#atEnd;
        if (this.#atEnd === 'end') return { done: true, value: undefined };
        this.#announceStall();
        return await new Promise<never>(() => {});
      },
      return: async () => {
        this.returns++;
        return { done: true, value: undefined };
      },
    };
  }
}
