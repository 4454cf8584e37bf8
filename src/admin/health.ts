import type { StoreCondition } from '../storage/blob-store.ts';

/** What health checks are told. */
export interface Health {
  /**
   * `ok`: everything is served. `full`: what would need room is refused, everything else is served.
   * `failed`: a write was lost, so nothing is written until the next start; reading goes on.
   */
  readonly status: 'ok' | 'full' | 'failed';
}

export function healthOf(condition: StoreCondition): Health {
  return { status: condition === 'ready' ? 'ok' : condition };
}
