import type { ServerResponse } from 'node:http';
import { assert } from '../lib/assert.ts';
import type { OutgoingBytes } from '../protocol/shapes/shape.ts';
import { ClientGone } from './client-gone.ts';
import type { IdleTimer, IdleTimers } from './idle-timer.ts';

export interface SendOptions {
  readonly response: ServerResponse;
  /** They say how long the client may take nothing while bytes wait for it. */
  readonly idleTimers: IdleTimers;
  /** Told the size of each piece that went out. */
  readonly onSent: (sizeBytes: number) => void;
}

/**
 * Sends `bytes` as the body of a reply whose head is written, no faster than the client takes
 * them. Whatever is thrown, the reply has not ended, so that it cannot look complete.
 */
export async function sendBytes(
  { sizeBytes, bytes }: OutgoingBytes,
  { response, idleTimers, onSent }: SendOptions,
): Promise<void> {
  const flow = new ReplyFlow(response, idleTimers);
  let sentSizeBytes = 0;
  try {
    for await (const chunk of bytes) {
      sentSizeBytes += chunk.length;
      assert(sentSizeBytes <= sizeBytes, 'a reply is no longer than its Content-Length says');
      await flow.send(chunk);
      onSent(chunk.length);
    }
    assert(sentSizeBytes === sizeBytes, 'a reply is as long as its Content-Length says');
  } finally {
    flow.stop();
  }
}

/** Waits until the socket took a chunk, or the client is gone, or takes nothing for too long. */
class ReplyFlow {
  readonly #response: ServerResponse;
  readonly #idleTimer: IdleTimer;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  readonly #onClose = () => this.#fail('The client closed the connection within the reply.');

  constructor(response: ServerResponse, idleTimers: IdleTimers) {
    this.#response = response;
    const onIdle = () => this.#fail('The client has stopped taking the reply.');
    this.#idleTimer = idleTimers.create(onIdle);
    response.on('close', this.#onClose);
    if (response.destroyed) this.#onClose();
  }

  /** Resolves when the system has taken the chunk over: its memory may be used again then. */
  async send(chunk: Uint8Array): Promise<void> {
    this.#check();
    this.#idleTimer.startWaiting();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#response.write(chunk, (error) => {
        if (error) this.#fail('The reply could not be written.');
        resolve();
      });
    });
    this.#idleTimer.endWaiting();
    this.#check();
  }

  stop(): void {
    this.#idleTimer.endWaiting();
    this.#response.off('close', this.#onClose);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(message: string): void {
    this.#failure ??= new ClientGone(message);
    this.#wake?.();
  }
}
