import { join } from 'node:path';
import { assert } from '../../lib/assert.ts';
import type { BlobContent } from '../blob-store.ts';
import type { SourceReader } from '../source-reader.ts';
import { type SealingKey, sealedKinds } from './data-key.ts';
import {
  encodeFileHeader,
  type FileHeader,
  type FileIdentity,
  fileHeaderBytes,
  newDataKey,
} from './file-header.ts';
import { type OpenFile, writeFailure } from './files.ts';
import { FramePipeline } from './frame-pipeline.ts';
import { descriptionOffset, descriptionSizeBytes } from './large-layout.ts';
import type { SharedSync } from './shared-sync.ts';
import type { VolumeParts } from './volume-parts.ts';

/** The bytes that go into a file of their own: what was read of them, and the rest. */
export interface LargeSource {
  readonly chunks: readonly Uint8Array[];
  readonly rest: SourceReader;
}

/** What the file is to be, and where. */
export interface LargeFilePlan {
  readonly kind: 'large' | 'snapshot';
  readonly createdAtMs: number;
  readonly directory: string;
  /** Syncs the directory. */
  readonly directorySync: SharedSync;
  readonly nameOf: (made: { readonly fileId: string; readonly sizeBytes: number }) => string;
  readonly label: (content: BlobContent) => Uint8Array;
}

export interface WrittenFile extends BlobContent {
  readonly name: string;
}

/** Streams bytes into a file of their own. Resolves when it is durable, or else leaves no file. */
export async function writeLargeFile(
  source: LargeSource,
  plan: LargeFilePlan,
  parts: VolumeParts,
): Promise<WrittenFile> {
  const { files, layout, gate, randomBytes } = parts;
  const fileId = Buffer.from(randomBytes(16)).toString('hex');
  // A temporary name, in a directory that is swept at open: a crash leaves nothing that is listed.
  const incoming = join(layout.incoming, fileId);
  let path = incoming;
  try {
    const file = await files.create(incoming);
    let content: BlobContent;
    try {
      content = await writeAll(file, { source, plan, fileId }, parts);
      // Before the name: a name whose bytes are not durable would be a blob that a crash empties.
      await gate.sync(() => file.sync());
    } finally {
      await file.close();
    }
    const name = plan.nameOf({ fileId, sizeBytes: content.sizeBytes });
    // All at once: there is no moment at which half a blob has the name.
    await files.rename(incoming, join(plan.directory, name));
    path = join(plan.directory, name);
    // Else the name may be lost in a crash, and the blob with it.
    await plan.directorySync.request();
    return { ...content, name };
  } catch (error) {
    // What could not be unlinked either is swept at the next open, or listed and collected.
    await files.unlink(path).catch(() => undefined);
    throw writeFailure(error);
  }
}

async function writeAll(
  file: OpenFile,
  { source, plan, fileId }: { source: LargeSource; plan: LargeFilePlan; fileId: string },
  parts: VolumeParts,
): Promise<BlobContent> {
  const { kind, createdAtMs } = plan;
  const identity = { kind, storeId: parts.storeId, fileId, number: 0, createdAtMs };
  const { key, wrappedKey } = newDataKey(identity, parts);
  const content = await writeContent({ file, key }, source, parts);
  const label = plan.label(content);
  await writeEnds({ file, key }, { ...content, label }, { ...identity, wrappedKey });
  return content;
}

async function writeContent(
  to: { file: OpenFile; key: SealingKey },
  { chunks, rest }: LargeSource,
  parts: VolumeParts,
): Promise<BlobContent> {
  const pipeline = new FramePipeline(to, parts, (error) => rest.interrupt(error));
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

/** Writes what surrounds the frames: the description and a header after them, a header before. */
async function writeEnds(
  { file, key }: { file: OpenFile; key: SealingKey },
  { sizeBytes, leaves, label }: BlobContent & { label: Uint8Array },
  begun: FileIdentity & Pick<FileHeader, 'wrappedKey'>,
): Promise<void> {
  const descriptionBytes = descriptionSizeBytes({
    contentBytes: sizeBytes,
    labelBytes: label.length,
  });
  const end = Buffer.alloc(descriptionBytes + fileHeaderBytes);
  // Bound to the size of the content: no other size goes with it.
  const place = { kind: sealedKinds.description, position: sizeBytes };
  key.seal([leaves, label], place, end.subarray(0, descriptionBytes));
  const header = encodeFileHeader({ ...begun, contentBytes: sizeBytes, descriptionBytes });
  end.set(header, descriptionBytes);
  await file.write(end, descriptionOffset(sizeBytes));
  await file.write(header, 0);
  const fileBytes = descriptionOffset(sizeBytes) + end.length;
  assert((await file.size()) === fileBytes, 'the file is as long as its parts');
}
