import type { Worker } from 'node:worker_threads';
import { DatabaseDamaged, isDamage, sqliteCode } from './database-errors.ts';

/** What failed in a thread. Errors lose SQLite's code on their way from thread to thread. */
export interface ThreadFailure {
  readonly message: string;
  readonly code: number | null;
  readonly isDamage: boolean;
}

/** In the thread. */
export function failureFrom(error: unknown): ThreadFailure {
  return {
    message: String(error),
    code: sqliteCode(error) ?? null,
    isDamage: isDamage(error),
  };
}

/** Out of the thread: satisfies `isDamage` where the thread met damage. */
export class FailedInThread extends Error {
  override readonly name = 'FailedInThread';
  readonly sqliteCode: number | null;

  constructor({ message, code, isDamage }: ThreadFailure) {
    super(message, isDamage ? { cause: new DatabaseDamaged(message) } : {});
    this.sqliteCode = code;
  }
}

/**
 * What the thread answers next. Rejects when it fails or ends instead: whoever only waits for an
 * answer would wait for ever, and a failure that nobody waits for ends the process.
 */
export function nextReply<T>(thread: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (how: () => void) => {
      thread.off('message', onMessage);
      thread.off('error', onError);
      thread.off('exit', onExit);
      how();
    };
    const onMessage = (reply: T) => settle(() => resolve(reply));
    const onError = (error: unknown) => settle(() => reject(error));
    const onExit = () => settle(() => reject(new Error('The thread ended without an answer.')));
    thread.on('message', onMessage);
    thread.on('error', onError);
    thread.on('exit', onExit);
  });
}
