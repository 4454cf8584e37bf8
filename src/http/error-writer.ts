import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { errorCodes, GlacierError } from '../protocol/errors.ts';
import { ClientGone } from './client-gone.ts';
import { discardBody, isBodyOver, outwait } from './discard-body.ts';
import { replyCut, requestAbandoned, requestFailed } from './events.ts';
import type { Exchange } from './exchange.ts';

/** A message may name a value of the request: longer than any header, it is cut. */
const messageLengthMax = 16 * 1024;

/** A body of this size is read to its end even when it is refused, to keep the connection. */
const keptConnectionBodyBytesMax = 64 * 1024;

/**
 * Answers a request with whatever was thrown on its way: the one funnel from `unknown` to a reply.
 */
export async function writeError(
  error: unknown,
  exchange: Exchange,
  { log, clock }: { readonly log: Log; readonly clock: Clock },
): Promise<void> {
  const { requestId, request, response } = exchange;
  if (error instanceof ClientGone || response.destroyed) {
    requestAbandoned(log, requestId, error instanceof Error ? error.message : String(error));
    response.destroy();
    return;
  }
  if (response.headersSent) {
    // A reply that fails half-way must never look complete.
    replyCut(log, requestId, error);
    response.destroy();
    return;
  }
  const answer = toGlacierError(error);
  if (answer !== error) requestFailed(log, requestId, error);
  exchange.code = answer.code;
  exchange.status = errorCodes[answer.code].status;

  const body = errorBody(answer);
  exchange.bytesOut = body.length;
  const isBroken = exchange.defect !== undefined;
  const keepsConnection =
    !isBroken &&
    answer.code !== 'RequestTimeoutException' &&
    (isBodyOver(request) || !exceeds(exchange, keptConnectionBodyBytesMax));
  response.writeHead(exchange.status, {
    ...errorHeaders(answer, requestId, body),
    ...(keepsConnection ? {} : { Connection: 'close' }),
  });
  if (keepsConnection) {
    response.end(body);
    if (!(await discardBody(request, { clock }))) request.destroy();
    return;
  }
  // Not ended yet: that would reset the connection under a client that is still sending, and the
  // answer would be lost with it.
  response.write(body);
  if (isBroken) await outwait(request.socket, { clock });
  else if (answer.code !== 'RequestTimeoutException') await discardBody(request, { clock });
  response.end();
}

/** What the client is told: the error itself when the API names it, else that something failed. */
export function toGlacierError(error: unknown): GlacierError {
  if (error instanceof GlacierError) return error;
  return new GlacierError(
    'ServiceUnavailableException',
    'The service failed to process the request. Please try again.',
    { cause: error },
  );
}

/** Developer guide, "Error Responses": `code`, `message` and `type`. */
export function errorBody({ code, message }: GlacierError): Uint8Array {
  const shown =
    message.length > messageLengthMax ? `${message.slice(0, messageLengthMax)}…` : message;
  const body = { code, message: shown.toWellFormed(), type: errorCodes[code].fault };
  return Buffer.from(JSON.stringify(body), 'utf8');
}

/** Clients look for the code in a header first, where there is one. */
export function errorHeaders(
  { code }: GlacierError,
  requestId: string,
  body: Uint8Array,
): Record<string, string | number> {
  return {
    'x-amzn-RequestId': requestId,
    'x-amzn-ErrorType': code,
    'Content-Type': 'application/json',
    'Content-Length': body.length,
  };
}

function exceeds({ announcedSizeBytes, headers }: Exchange, sizeBytes: number): boolean {
  return announcedSizeBytes > sizeBytes || headers.has('transfer-encoding');
}
