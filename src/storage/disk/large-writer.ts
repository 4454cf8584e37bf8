import { join } from 'node:path';
import { assert } from '../../lib/assert.ts';
import { sha256 } from '../../lib/node/sha256.ts';
import type { RandomBytes } from '../../lib/random.ts';
import type { StoredBlob } from '../blob-store.ts';
import type { SourceReader } from '../source-reader.ts';
import { formatBlobId } from './disk-blob-id.ts';
import { type Files, type Layout, type OpenFile, writeFailure } from './files.ts';
import { FramePipeline, type FramePool } from './frame-pipeline.ts';
import { encodeLargeHeader, largeHeaderBytes } from './large-header.ts';
import type { Room } from './room.ts';
import type { SharedSync } from './shared-sync.ts';
import type { WriteGate } from './write-gate.ts';

interface Dependencies {
  readonly files: Files;
  readonly layout: Layout;
  readonly gate: WriteGate;
  readonly pool: FramePool;
  readonly room: Room;
  readonly randomBytes: RandomBytes;
  /** Syncs the directory of large blobs. */
  readonly directorySync: SharedSync;
}

/** What is known of a blob when it turns out to be a large one. */
interface Beginning {
  readonly chunks: readonly Uint8Array[];
  readonly rest: SourceReader;
  readonly writtenAtMs: number;
}

/** Streams a blob into a file of its own. Resolves when it is durable, or else leaves no file. */
export async function writeLargeBlob(
  beginning: Beginning,
  dependencies: Dependencies,
): Promise<StoredBlob> {
  const { files, layout, gate, randomBytes, directorySync } = dependencies;
  const { writtenAtMs } = beginning;
  const nonce = Buffer.from(randomBytes(16)).toString('hex');
  // A temporary name, in a directory that is swept at open: a crash leaves nothing that is listed.
  const incoming = join(layout.incoming, nonce);
  let path = incoming;
  try {
    const file = await files.create(incoming);
    let content: Content;
    try {
      content = await writeContent(file, beginning, dependencies);
      await writeEnds(file, { ...content, writtenAtMs, nonce });
      // Before the name: a name whose bytes are not durable would be a blob that a crash empties.
      await gate.sync(() => file.sync());
    } finally {
      await file.close();
    }
    const { sizeBytes, leaves } = content;
    const id = formatBlobId({ kind: 'large', writtenAtMs, sizeBytes, nonce });
    // All at once: there is no moment at which half a blob has the name.
    await files.rename(incoming, join(layout.large, id));
    path = join(layout.large, id);
    // Else the name may be lost in a crash, and the blob with it.
    await directorySync.request();
    return { id, sizeBytes, leaves };
  } catch (error) {
    // What could not be unlinked either is swept at the next open, or listed and collected.
    await files.unlink(path).catch(() => undefined);
    throw writeFailure(error);
  }
}

interface Content {
  readonly sizeBytes: number;
  readonly leaves: Uint8Array;
}

async function writeContent(
  file: OpenFile,
  { chunks, rest }: Beginning,
  { gate, pool, room }: Dependencies,
): Promise<Content> {
  const pipeline = new FramePipeline(file, { gate, pool, room }, (error) => rest.interrupt(error));
  try {
    for (const chunk of chunks) await pipeline.add(chunk);
    for (let chunk = await rest.next(); chunk !== undefined; chunk = await rest.next()) {
      await pipeline.add(chunk);
    }
    return await pipeline.end();
  } finally {
    await pipeline.settle();
  }
}

/** Writes what surrounds the blob: the leaf hashes after it, the header before it. */
async function writeEnds(
  file: OpenFile,
  { sizeBytes, leaves, writtenAtMs, nonce }: Content & { writtenAtMs: number; nonce: string },
): Promise<void> {
  await file.write(leaves, largeHeaderBytes + sizeBytes);
  const header = { writtenAtMs, nonce, sizeBytes, leavesSha256: sha256(leaves) };
  await file.write(encodeLargeHeader(header), 0);
  const size = await file.size();
  assert(size === largeHeaderBytes + sizeBytes + leaves.length, 'the file is as long as its parts');
}
