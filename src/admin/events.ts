import type { Log } from '../lib/log.ts';

export function adminStarted(log: Log, url: string): void {
  log.info('admin.started', { url });
}

/** The file could not be written, on a full disk say: the server serves, and commands miss it. */
export function adminUnannounced(log: Log, path: string, error: unknown): void {
  const harm = 'Commands such as `firn status` do not find this server until it is restarted.';
  log.warn('admin.unannounced', { path, harm, error });
}

/** Somebody asked who may not. */
export function adminRefused(log: Log, reason: string, path: string): void {
  log.warn('admin.refused', { reason, path });
}

export function adminFailed(log: Log, path: string, error: unknown): void {
  log.error('admin.failed', { path, error });
}

export function accountCreated(log: Log, accountId: string): void {
  log.info('account.created', { accountId });
}
