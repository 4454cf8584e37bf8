import type { Log } from '../lib/log.ts';

/** What is known of a request when it is over. Nothing that is secret or signed is in it. */
export interface RequestFacts {
  readonly requestId: string;
  readonly method: string;
  readonly operation: string | null;
  /** Null when the client was gone before there was a reply. */
  readonly status: number | null;
  /** The error's code; null for a success. */
  readonly code: string | null;
  /** Whether the reply was written to its end. */
  readonly isComplete: boolean;
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly accessKeyId: string | null;
}

/** Is told of each request when it is over, for metrics. Must not throw. */
export type RequestObserver = (facts: RequestFacts) => void;

export function requestCompleted(log: Log, facts: RequestFacts): void {
  log.info('request.completed', { ...facts });
}

/** Something failed that is not the client's fault: a defect, or a store that gave up. */
export function requestFailed(log: Log, requestId: string, error: unknown): void {
  log.error('request.failed', { requestId, error: describe(error) });
}

/** The reply had begun when something failed: the connection is cut, so that it shows. */
export function replyCut(log: Log, requestId: string, error: unknown): void {
  log.error('reply.cut', { requestId, error: describe(error) });
}

/** The client went away before its request was done. */
export function requestAbandoned(log: Log, requestId: string, reason: string): void {
  log.warn('request.abandoned', { requestId, reason });
}

/** Bytes came that are no HTTP. */
export function connectionRefused(log: Log, requestId: string, code: string): void {
  log.warn('connection.refused', { requestId, code });
}

/** Still running when the server had to stop. */
export function requestsCut(log: Log, count: number): void {
  log.warn('requests.cut', { count });
}

/** An error with its stack and everything that caused it. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? own : `${own}\ncaused by: ${describe(error.cause)}`;
}
