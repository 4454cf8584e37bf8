/**
 * The small closed set of ways in which a store can fail. Only backends throw these; the domain,
 * which knows what they mean to a caller, translates them.
 */
export type StoreErrorCode =
  | 'BlobNotFound'
  | 'BlobCorrupt'
  | 'Conflict'
  | 'StoreFull'
  | 'StoreUnavailable';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** Whether nothing was begun: what was asked for has no effect, now or when the store is opened. */
  readonly isRefusal: boolean;

  constructor(
    code: StoreErrorCode,
    message: string,
    options: ErrorOptions & { readonly isRefusal?: boolean } = {},
  ) {
    super(message, options);
    this.code = code;
    this.isRefusal = options.isRefusal ?? false;
  }
}

/** Whether `error` is a store's failure, and of the kind `code` when that is given. */
export function isStoreError(error: unknown, code?: StoreErrorCode): error is StoreError {
  return error instanceof StoreError && (code === undefined || error.code === code);
}
