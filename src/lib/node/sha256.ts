import { createHash, createHmac, hash } from 'node:crypto';

/** SHA-256 of `data`, as 32 bytes, computed at once on the calling thread. */
export function sha256(data: Uint8Array): Uint8Array {
  return hash('sha256', data, 'buffer');
}

/** SHA-256 of `data` as 64 lower-case hexadecimal digits. */
export function sha256Hex(data: Uint8Array | string): string {
  return hash('sha256', data, 'hex');
}

/** SHA-256 of `data`, as 32 bytes, computed on the thread pool. Pays from some 64 KiB on. */
export async function sha256Pooled(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data));
}

/** A SHA-256 that is fed piece by piece. */
export interface RunningSha256 {
  update(data: Uint8Array): void;
  /** The digest as 64 lower-case hexadecimal digits. Ends the hash. */
  digestHex(): string;
}

export function runningSha256(): RunningSha256 {
  const running = createHash('sha256');
  return {
    update: (data) => {
      running.update(data);
    },
    digestHex: () => running.digest('hex'),
  };
}

/** HMAC-SHA-256 of `data` under `key`, as 32 bytes. */
export function hmacSha256(key: Uint8Array | string, data: Uint8Array | string): Uint8Array {
  return createHmac('sha256', key).update(data).digest();
}
