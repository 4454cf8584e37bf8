import type { Clock } from '../../lib/clock.ts';
import type {
  BlobDescription,
  BlobId,
  BlobRange,
  BlobStore,
  BlobWriting,
  ListedBlob,
  StoreCondition,
  StoredBlob,
} from '../blob-store.ts';

export type BlobDeed = 'write' | 'read' | 'describe' | 'remove' | 'list' | 'checkRoom';

/** What goes wrong with one call. */
export type BlobFault =
  /**
   * It throws `error`: before it did anything; after all was done, so that only the answer is lost;
   * or, for a write and a read, after `afterBytes`.
   */
  | { readonly kind: 'fail'; readonly error: Error; readonly when: 'before' | 'after' }
  | { readonly kind: 'fail'; readonly error: Error; readonly afterBytes: number }
  /** A read hands on a wrong byte at this offset from where it begins, as a faulty store would. */
  | { readonly kind: 'corrupt'; readonly atByte: number }
  /** It waits before it begins. */
  | { readonly kind: 'delay'; readonly ms: number };

/**
 * Another store, but for the faults that a test orders. For tests only.
 *
 * 1. A call that no fault was ordered for is the inner store's.
 * 2. A fault strikes once. Several for one call strike in the order in which they were ordered.
 */
export class FaultyBlobStore implements BlobStore {
  readonly #inner: BlobStore;
  readonly #clock: Clock;
  readonly #orders: { readonly deed: BlobDeed; inCalls: number; readonly fault: BlobFault }[] = [];

  constructor(inner: BlobStore, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  /** Has `fault` strike the `nth` call of `deed` from now on; 1 is the next. */
  order(deed: BlobDeed, fault: BlobFault, nth = 1): void {
    this.#orders.push({ deed, inCalls: nth, fault });
  }

  /** How many faults have not struck yet: a test that leaves some has not tested what it says. */
  get pendingCount(): number {
    return this.#orders.length;
  }

  get condition(): StoreCondition {
    return this.#inner.condition;
  }

  async write(source: AsyncIterable<Uint8Array>, writing: BlobWriting): Promise<StoredBlob> {
    const faults = this.#due('write');
    let altered = source;
    for (const fault of faults) altered = alterWritten(altered, fault);
    await this.#delay(faults);
    const stored = await this.#inner.write(altered, writing);
    failAfter(faults);
    return stored;
  }

  async *read(id: BlobId, range: BlobRange, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const faults = this.#due('read');
    await this.#delay(faults, signal);
    failBefore(faults);
    let chunks: AsyncIterable<Uint8Array> = this.#inner.read(id, range, signal);
    for (const fault of faults) chunks = alterRead(chunks, fault);
    yield* chunks;
    failAfter(faults);
  }

  async describe(id: BlobId): Promise<BlobDescription> {
    return await this.#around('describe', () => this.#inner.describe(id));
  }

  async checkRoom(): Promise<void> {
    await this.#around('checkRoom', () => this.#inner.checkRoom());
  }

  async remove(id: BlobId): Promise<void> {
    await this.#around('remove', () => this.#inner.remove(id));
  }

  async *list(signal?: AbortSignal): AsyncGenerator<ListedBlob> {
    const faults = this.#due('list');
    await this.#delay(faults, signal);
    failBefore(faults);
    yield* this.#inner.list(signal);
    failAfter(faults);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  async #around<T>(deed: BlobDeed, call: () => Promise<T>): Promise<T> {
    const faults = this.#due(deed);
    await this.#delay(faults);
    failBefore(faults);
    const result = await call();
    failAfter(faults);
    return result;
  }

  #due(deed: BlobDeed): BlobFault[] {
    const due: BlobFault[] = [];
    for (const order of this.#orders.filter((one) => one.deed === deed)) {
      order.inCalls -= 1;
      if (order.inCalls > 0) continue;
      due.push(order.fault);
      this.#orders.splice(this.#orders.indexOf(order), 1);
    }
    return due;
  }

  async #delay(faults: readonly BlobFault[], signal?: AbortSignal): Promise<void> {
    for (const fault of faults) {
      if (fault.kind === 'delay') await this.#clock.sleep(fault.ms, signal);
    }
  }
}

function failBefore(faults: readonly BlobFault[]): void {
  failIf(faults, 'before');
}

function failAfter(faults: readonly BlobFault[]): void {
  failIf(faults, 'after');
}

function failIf(faults: readonly BlobFault[], when: 'before' | 'after'): void {
  for (const fault of faults) {
    if (fault.kind === 'fail' && 'when' in fault && fault.when === when) throw fault.error;
  }
}

/** The source of a write fails the inner store where the fault says: so nothing is left of it. */
function alterWritten(source: AsyncIterable<Uint8Array>, fault: BlobFault) {
  if (fault.kind !== 'fail') return source;
  if ('afterBytes' in fault) return failing(source, fault.afterBytes, fault.error);
  return fault.when === 'before' ? failing(source, 0, fault.error) : source;
}

function alterRead(chunks: AsyncIterable<Uint8Array>, fault: BlobFault) {
  if (fault.kind === 'corrupt') return corrupted(chunks, fault.atByte);
  if (fault.kind === 'fail' && 'afterBytes' in fault) {
    return failing(chunks, fault.afterBytes, fault.error);
  }
  return chunks;
}

async function* failing(chunks: AsyncIterable<Uint8Array>, afterBytes: number, error: Error) {
  let leftBytes = afterBytes;
  for await (const chunk of chunks) {
    if (chunk.length > leftBytes || leftBytes === 0) {
      if (leftBytes > 0) yield chunk.subarray(0, leftBytes);
      throw error;
    }
    leftBytes -= chunk.length;
    yield chunk;
  }
  throw error;
}

async function* corrupted(chunks: AsyncIterable<Uint8Array>, atByte: number) {
  let passedBytes = 0;
  for await (const chunk of chunks) {
    const within = atByte - passedBytes;
    passedBytes += chunk.length;
    if (within < 0 || within >= chunk.length) {
      yield chunk;
      continue;
    }
    const changed = Uint8Array.from(chunk);
    changed[within] = (changed[within] ?? 0) ^ 1;
    yield changed;
  }
}
