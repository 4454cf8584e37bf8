import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { errorCodes, GlacierError } from '../protocol/errors.ts';
import { outwait } from './discard-body.ts';
import { errorBody, errorHeaders } from './error-writer.ts';
import { connectionRefused } from './events.ts';
import type { Exchange } from './exchange.ts';

/** Connections that have their answer; whatever else comes over them fails again. */
const refused = new WeakSet<Socket>();

export interface Refusal {
  readonly requestId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly running: ReadonlySet<Exchange>;
}

/**
 * Ends a connection over which came something that is no HTTP, or nothing for too long. Where no
 * request is being answered on it, the client is told, in the form of every other error.
 */
export function refuseConnection(
  error: Error & { readonly code?: string },
  socket: Socket,
  { requestId, clock, log, running }: Refusal,
): void {
  if (refused.has(socket)) return;
  refused.add(socket);
  const under = [...running].filter(({ request }) => request.socket === socket);
  if (under.length > 0) {
    const broken = under.find(({ request }) => !request.complete);
    // Nonsense behind whole requests lets these finish; in the place of a body it is the request's
    // own, and its answer, if there is none yet. A client that ends its side there is told that its
    // body did not come.
    if (broken === undefined) under.at(-1)?.response.on('finish', () => socket.destroySoon());
    else if (error.code === 'HPE_INVALID_EOF_STATE') broken.body?.cutShort();
    else if (isNonsense(error) && !broken.response.headersSent) broken.breakOff(badRequest());
    else socket.destroy();
    return;
  }
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  connectionRefused(log, requestId, error.code ?? error.name);
  socket.end(answerTo(error, requestId, clock));
  void outwait(socket, { clock }).then(() => socket.destroy());
}

/** Refuses `CONNECT`: requests are answered here, and handed on to nobody. */
export function refuseTunnel(socket: Socket, refusal: Refusal): void {
  socket.on('error', () => {
    // Node leaves such a socket to us; the close that follows ends it.
  });
  const error = new Error('CONNECT is not served.');
  refuseConnection(Object.assign(error, { code: 'CONNECT' }), socket, refusal);
  socket.resume();
}

/** Whether the parser did not understand what came, in contrast to a connection that broke. */
function isNonsense({ code = '' }: { readonly code?: string }): boolean {
  return code.startsWith('HPE_');
}

/** `400`, what came is no HTTP. */
function badRequest(): GlacierError {
  return new GlacierError('BadRequest', 'Bad request');
}

function answerTo(error: { readonly code?: string }, requestId: string, clock: Clock): Uint8Array {
  const answer =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new GlacierError('RequestTimeoutException', 'Request timed out.')
      : badRequest();
  const { status } = errorCodes[answer.code];
  const body = errorBody(answer);
  const headers = {
    ...errorHeaders(answer, requestId, body),
    Date: new Date(clock.now()).toUTCString(),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}
