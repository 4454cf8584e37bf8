import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hmacSha256 } from './sha256.ts';

/** How commands on the same machine reach a server that runs, and what lets them in. */
export interface AdminEndpoint {
  /** `http://127.0.0.1:40123` */
  readonly url: string;
  /** Made at each start. Who can read the file may ask the server for anything. */
  readonly token: string;
  /** The process of the server. */
  readonly pid: number;
}

/** Where a server tells of its endpoint. */
export function endpointPath(dataDirectory: string): string {
  return join(dataDirectory, 'server.admin');
}

/** Tells of an endpoint, in place of one that was told of before. For the owner's eyes only. */
export function writeEndpoint(path: string, { url, token, pid }: AdminEndpoint): void {
  const unfinished = `${path}.${pid}`;
  rmSync(unfinished, { force: true });
  try {
    // `wx`: what somebody else put there has their permissions, and is not written to.
    writeFileSync(unfinished, `${JSON.stringify({ url, token, pid })}\n`, {
      mode: 0o600,
      flag: 'wx',
    });
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/**
 * What the file tells; undefined when there is none, or when it says nothing usable. That a server
 * was killed leaves the file behind, and somebody else may have its port or its number by now: ask
 * for a proof before sending the token.
 */
export function readEndpoint(path: string): AdminEndpoint | undefined {
  try {
    const document: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isEndpoint(document) ? document : undefined;
  } catch (error) {
    const isUnusable = error instanceof SyntaxError || codeOf(error) === 'ENOENT';
    if (isUnusable) return undefined;
    throw error;
  }
}

/** Takes the file away, unless another server has told of itself in it since. */
export function removeEndpoint(path: string, { token }: AdminEndpoint): void {
  if (readEndpoint(path)?.token === token) rmSync(path, { force: true });
}

/** What nobody can foresee: 64 hexadecimal digits. */
export function newChallenge(): string {
  return randomBytes(32).toString('hex');
}

/** What only who has the token can answer to `challenge`. It gives nothing of the token away. */
export function proofOf(token: string, challenge: string): string {
  return Buffer.from(hmacSha256(token, `firn admin proof\n${challenge}`)).toString('hex');
}

function isEndpoint(document: unknown): document is AdminEndpoint {
  if (typeof document !== 'object' || document === null) return false;
  const { url, token, pid }: Partial<Record<keyof AdminEndpoint, unknown>> = document;
  return typeof url === 'string' && typeof token === 'string' && typeof pid === 'number';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
