import { runningSha256, sha256 } from '../../lib/node/sha256.ts';
import type { SourceReader } from '../source-reader.ts';

/** The first chunks of a blob. */
export interface BlobHead {
  readonly chunks: readonly Uint8Array[];
  readonly sizeBytes: number;
  /** Whether that is all there is. */
  readonly isWhole: boolean;
}

/** A source of crumbs must not cost many times its bytes. */
const chunksMax = 64;

/** Takes chunks until the source ends or there are more than `sizeBytesMax`. Copies none. */
export async function readHead(reader: SourceReader, sizeBytesMax: number): Promise<BlobHead> {
  let chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  while (sizeBytes <= sizeBytesMax) {
    const chunk = await reader.next();
    if (chunk === undefined) return { chunks, sizeBytes, isWhole: true };
    if (chunk.length === 0) continue;
    sizeBytes += chunk.length;
    chunks.push(chunk);
    if (chunks.length > chunksMax) chunks = [Buffer.concat(chunks)];
  }
  return { chunks, sizeBytes, isWhole: false };
}

/** The SHA-256 of a whole head. */
export function sha256OfChunks(chunks: readonly Uint8Array[]): Uint8Array {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return sha256(first);
  const running = runningSha256();
  for (const chunk of chunks) running.update(chunk);
  return Buffer.from(running.digestHex(), 'hex');
}
