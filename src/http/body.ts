import type { IncomingMessage } from 'node:http';
import { assert } from '../lib/assert.ts';
import { runningSha256 } from '../lib/node/sha256.ts';
import { GlacierError } from '../protocol/errors.ts';
import { ClientGone } from './client-gone.ts';
import type { IdleTimers } from './idle-timer.ts';

/** So many bytes may wait between the socket and the consumer. */
const queueSizeBytesMax = 256 * 1024;

export interface RequestBodyOptions {
  readonly request: IncomingMessage;
  /** They say how long the client may send nothing while it is waited for. */
  readonly idleTimers: IdleTimers;
  /** Called before the first byte is asked for: the place for `100 Continue`. */
  readonly onFirstRead: () => void;
}

/**
 * The body of a request. Nothing of it is asked for before somebody reads; it can be read once,
 * and to leave off half-way is fine. Fails with `RequestTimeoutException` when the client stalls,
 * and with `ClientGone` when it has gone.
 */
export class RequestBody implements AsyncIterable<Uint8Array> {
  readonly #options: RequestBodyOptions;
  readonly #queue: Uint8Array[] = [];
  #queuedSizeBytes = 0;
  #hasEnded = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  #isRead = false;
  #sizeBytes = 0;

  constructor(options: RequestBodyOptions) {
    this.#options = options;
  }

  /** How many bytes were handed out so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** To be called when the client has ended its side of the connection within the body. */
  cutShort(): void {
    this.#fail(timedOut());
  }

  /** To be called when what comes in the place of the rest is none: whoever reads gets `error`. */
  breakOff(error: Error): void {
    this.#fail(error);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    assert(!this.#isRead, 'a body is read once');
    this.#isRead = true;
    const { request, idleTimers, onFirstRead } = this.#options;
    if (request.destroyed) throw new ClientGone('The client has gone before its body was read.');
    const idleTimer = idleTimers.create(() => this.#fail(timedOut()));
    const stopListening = this.#listen();
    try {
      onFirstRead();
      for (;;) {
        const chunk = this.#queue.shift();
        if (chunk !== undefined) {
          this.#queuedSizeBytes -= chunk.length;
          this.#sizeBytes += chunk.length;
          yield chunk;
        } else if (this.#failure !== undefined) {
          throw this.#failure;
        } else if (this.#hasEnded) {
          return;
        } else {
          idleTimer.startWaiting();
          await this.#more();
          idleTimer.endWaiting();
        }
      }
    } finally {
      idleTimer.endWaiting();
      stopListening();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#options.request.resume();
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  #listen(): () => void {
    const { request } = this.#options;
    const onData = (chunk: Uint8Array) => {
      this.#queue.push(chunk);
      this.#queuedSizeBytes += chunk.length;
      if (this.#queuedSizeBytes >= queueSizeBytesMax) request.pause();
      this.#wake?.();
    };
    const onEnd = () => {
      this.#hasEnded = true;
      this.#wake?.();
    };
    const onError = (cause: Error) => {
      this.#fail(new ClientGone('The connection broke within the body of a request.', { cause }));
    };
    const onClose = () => {
      if (!this.#hasEnded) {
        this.#fail(new ClientGone('The connection was closed within the body of a request.'));
      }
    };
    request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
    request.pause();
    return () => {
      request.pause();
      // The listener for errors stays: a connection may break after one has left off reading.
      request.off('data', onData).off('end', onEnd).off('close', onClose);
    };
  }
}

/** The live service's text for a body that does not come. */
function timedOut(): GlacierError {
  return new GlacierError('RequestTimeoutException', 'Request timed out.');
}

/** Passes `body` on and hashes it; at its end has `verify` judge the SHA-256, by throwing. */
export async function* verifiedBody(
  body: AsyncIterable<Uint8Array>,
  verify: (sha256Hex: string) => void,
): AsyncGenerator<Uint8Array, void> {
  const sha256 = runningSha256();
  for await (const chunk of body) {
    sha256.update(chunk);
    yield chunk;
  }
  verify(sha256.digestHex());
}

/**
 * Reads a body that is a small document. One of more than `sizeBytesMax` bytes is none: it is left
 * off, or not even begun where its length is announced.
 */
export async function readDocument(
  body: AsyncIterable<Uint8Array>,
  { announcedSizeBytes, sizeBytesMax }: DocumentSizes,
): Promise<Uint8Array | undefined> {
  if (announcedSizeBytes > sizeBytesMax) return undefined;
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > sizeBytesMax) return undefined;
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

export interface DocumentSizes {
  /** What `Content-Length` says; 0 when it is absent. */
  readonly announcedSizeBytes: number;
  readonly sizeBytesMax: number;
}
