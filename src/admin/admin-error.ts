import { StoreError } from '../storage/errors.ts';

/** What the administrator is answered, who may see every message. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }

  /** Whatever was thrown, as an answer. */
  static of(error: unknown): AdminError {
    if (error instanceof AdminError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new AdminError(statusOf(error), message, { cause: error });
  }
}

function statusOf(error: unknown): number {
  // The store is full, or has given up.
  if (error instanceof StoreError) return 503;
  // Fastify's own: a body that is too large or no JSON, say.
  const isFastifys = error instanceof Error && 'statusCode' in error;
  return isFastifys && typeof error.statusCode === 'number' ? error.statusCode : 500;
}
