import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';

/** How much of a refused body is still read, and for how long. */
const discardedSizeBytesMax = 64 * 1024 * 1024;
const discardMsMax = 10_000;

/** How long a connection that is given up stays, for the client to read why. */
const lingerMs = 2_000;

/** Whether nothing of the body is still under way. */
export function isBodyOver(request: IncomingMessage): boolean {
  return request.complete || request.destroyed;
}

/**
 * Reads what is left of a refused body and drops it, so that a client that sends before it listens
 * comes to read the answer. Answers whether the end was reached within bounds.
 */
export async function discardBody(
  request: IncomingMessage,
  { clock }: { readonly clock: Clock },
): Promise<boolean> {
  if (isBodyOver(request)) {
    request.resume();
    return true;
  }
  // Whoever was reading has given up, and must not hold the rest back.
  request.removeAllListeners('data');
  const stopped = new AbortController();
  let sizeBytes = 0;
  const { promise: over, resolve } = Promise.withResolvers<boolean>();
  const onClose = () => resolve(true);
  request.on('data', (chunk: Uint8Array) => {
    sizeBytes += chunk.length;
    if (sizeBytes > discardedSizeBytesMax) resolve(false);
  });
  request.on('end', () => resolve(true));
  request.on('error', () => resolve(true));
  // The socket's own: a request whose response has ended does not say that it was closed.
  request.socket.once('close', onClose);
  clock.sleep(discardMsMax, stopped.signal).then(
    () => resolve(false),
    () => resolve(false),
  );
  request.resume();
  const reachedEnd = await over;
  stopped.abort();
  request.socket.off('close', onClose);
  return reachedEnd;
}

/**
 * Waits until the client of a refused connection ends its side of it, or has had the time to read
 * why. What it still sends is no request any more, and is dropped.
 */
export async function outwait(socket: Socket, { clock }: { readonly clock: Clock }): Promise<void> {
  if (socket.destroyed) return;
  const ended = new AbortController();
  const onEnd = () => ended.abort();
  socket.once('end', onEnd).once('close', onEnd);
  await clock.sleep(lingerMs, ended.signal).catch(() => {
    // The client was faster.
  });
  socket.off('end', onEnd).off('close', onEnd);
}
