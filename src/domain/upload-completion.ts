import type { Clock } from '../lib/clock.ts';
import { datedId, type RandomBytes } from '../lib/random.ts';
import type { ByteRange } from '../protocol/byte-range.ts';
import { GlacierError, invalidParameter } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import { idLengths } from '../protocol/names.ts';
import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore, Rows } from '../storage/metadata-store.ts';
import type { PartRow, UploadRow } from '../storage/rows.ts';
import { treeHashOfParts } from './archive-hashes.ts';
import { encodeBlobLabel, type UploadedArchiveLabel } from './blob-labels.ts';
import { commitBlobs } from './new-blobs.ts';
import type { Pins } from './pins.ts';
import { tellingOfNoRoom } from './room.ts';
import { noteActivity, notingWhoFindsNoRoom } from './upload-activity.ts';
import {
  type FoundUpload,
  openUploadAt,
  type UploadAddress,
  type UploadExpiry,
  uploadAt,
} from './upload-lookups.ts';
import { complete, isRemembered } from './upload-states.ts';

/** What an upload is to become. */
export interface Completion extends UploadAddress {
  /** `x-amz-archive-size`, as it was sent. */
  readonly archiveSize: string;
  /** What the caller says the tree hash of the archive is: hexadecimal digits. */
  readonly treeHash: string;
  readonly signal: AbortSignal;
}

export interface CompletedUpload {
  readonly archiveId: string;
  readonly treeHash: string;
}

export interface UploadCompletionsOptions extends UploadExpiry {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly pins: Pins;
}

/** An archive as its parts make it up. */
interface Whole {
  readonly sizeBytes: number;
  readonly treeHash: string;
  readonly partCount: number;
}

/** An upload before its end with its parts, or the archive that it has become. */
type Look =
  | (FoundUpload & { readonly kind: 'open'; readonly parts: readonly PartRow[] })
  | { readonly kind: 'completed'; readonly completed: CompletedUpload };

/**
 * Makes archives of uploads. No byte is read or moved: the parts become the archive's blobs.
 *
 * 1. An upload becomes one archive at most, however often and by how many at once it is completed.
 * 2. The parts that are an archive are those whose hashes make up its tree hash: they are looked at
 *    again in the transaction that makes them the archive.
 * 3. That they are an archive, and which, is kept with the blobs before any row says so.
 * 4. A full store completes, too: it takes next to nothing, and keeps what else would expire.
 */
export class UploadCompletions {
  readonly #options: UploadCompletionsOptions;

  constructor(options: UploadCompletionsOptions) {
    this.#options = options;
  }

  /** Makes the archive, or finds the one that was made, and answers once no crash can lose it. */
  async complete(completion: Completion): Promise<CompletedUpload> {
    checkArchiveSize(completion);
    try {
      return await notingWhoFindsNoRoom(completion, this.#options, () =>
        tellingOfNoRoom(() => this.#complete(completion)),
      );
    } catch (error) {
      const isRefused =
        error instanceof GlacierError && error.code === 'InvalidParameterValueException';
      // A caller that was refused is still at it.
      if (isRefused) await this.#noteRefused(completion);
      throw error;
    }
  }

  async #complete(completion: Completion): Promise<CompletedUpload> {
    const { store } = this.#options;
    const look = await store.read((rows) => this.#look(rows, completion));
    if (look.kind === 'completed') return look.completed;
    const whole = wholeOf(look, completion);
    await store.checkWritable();
    return await this.#keep(completion, look, whole);
  }

  async #look(rows: Rows, completion: Completion): Promise<Look> {
    const { timeBounds } = this.#options;
    const found = await uploadAt(rows, completion);
    const { upload } = found;
    if (upload.archive !== null && isRemembered(upload, timeBounds.earliest())) {
      checkClaims(upload.archive, completion);
      const { archiveId, treeHash } = upload.archive;
      return { kind: 'completed', completed: { archiveId, treeHash } };
    }
    await openUploadAt(rows, completion, this.#options);
    return { ...found, kind: 'open', parts: await partsOf(rows, upload) };
  }

  /** Keeps the label of the archive, and then its row. */
  async #keep(completion: Completion, found: FoundUpload, whole: Whole): Promise<CompletedUpload> {
    const { blobs, pins } = this.#options;
    const label = this.#labelOf(found, whole);
    const blob = await blobs.write(noBytes(), {
      signal: completion.signal,
      label: () => encodeBlobLabel(label),
      mayUseReserve: true,
    });
    let completed: CompletedUpload = label;
    await commitBlobs([blob.id], { blobs, pins }, async () => {
      completed = await this.#insert(completion, label, blob.id);
      return completed.archiveId === label.archiveId ? [blob.id] : [];
    });
    return { archiveId: completed.archiveId, treeHash: completed.treeHash };
  }

  #labelOf({ vault, upload }: FoundUpload, whole: Whole): UploadedArchiveLabel {
    const { clock, randomBytes } = this.#options;
    const atMs = clock.now();
    return {
      kind: 'uploaded-archive',
      version: 1,
      accountId: vault.accountId,
      region: vault.region,
      vaultName: vault.vaultName,
      vaultId: vault.vaultId,
      archiveId: datedId(randomBytes, { atMs, length: idLengths.archive }),
      description: upload.description ?? '',
      createdAtMs: atMs,
      ...whole,
      uploadId: upload.uploadId,
      partSizeBytes: upload.partSizeBytes,
    };
  }

  /**
   * One transaction: the archive's row, which says what its label says, the end of the upload, and the
   * vault's totals. Another one may have been here first: then its archive is the answer.
   */
  #insert(
    completion: Completion,
    label: UploadedArchiveLabel,
    labelled: BlobId,
  ): Promise<CompletedUpload> {
    const { store, clock, timeBounds } = this.#options;
    const { archiveId, vaultId, description, createdAtMs, sizeBytes, treeHash } = label;
    return store.write(async (rows) => {
      const look = await this.#look(rows, completion);
      if (look.kind === 'completed') return look.completed;
      // A part that was put meanwhile and has other bytes makes up another tree hash: it throws.
      wholeOf(look, completion);
      const atMs = clock.now();
      const addedChange = await rows.vaults.recordChange(vaultId, { archives: 1, sizeBytes, atMs });
      const facts = { archiveId, vaultId, description, createdAtMs, sizeBytes, treeHash };
      const archive = { ...facts, addedChange, removedChange: null };
      await rows.archives.insertUploaded(archive, look.upload.uploadId, labelled);
      const uploaded = { archiveId, sizeBytes, treeHash };
      await rows.uploads.update(complete(look.upload, uploaded, timeBounds.earliest()));
      return label;
    });
  }

  /** Nothing to note where the upload has ended meanwhile, or had when it was asked for. */
  async #noteRefused(completion: Completion): Promise<void> {
    try {
      await noteActivity(completion, this.#options);
    } catch (error) {
      if (!(error instanceof GlacierError)) throw error;
    }
  }
}

/** `400` when the size can't be one of an archive. */
function checkArchiveSize({ archiveSize }: Completion): void {
  if (!/^\d+$/.test(archiveSize) || Number(archiveSize) === 0) throw otherSize(archiveSize);
}

async function partsOf(rows: Rows, { uploadId }: UploadRow): Promise<readonly PartRow[]> {
  return await rows.uploads.listParts({ uploadId, after: null, limit: limits.partsPerUploadMax });
}

/** The archive that the parts make up; `400` when they make up none, or another one than was said. */
function wholeOf(
  { upload, parts }: { readonly upload: UploadRow; readonly parts: readonly PartRow[] },
  completion: Completion,
): Whole {
  const missing = missingRange(parts, upload.partSizeBytes);
  if (missing !== undefined) {
    const { firstByte, lastByte } = missing;
    throw invalidParameter(`Missing content range: ${firstByte}-${lastByte}`);
  }
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  checkSize(sizeBytes, completion);
  const whole = {
    sizeBytes,
    treeHash: treeHashOfParts(parts.map((part) => part.treeHash)),
    partCount: parts.length,
  };
  checkClaims(whole, completion);
  return whole;
}

/** The first bytes that are not there although bytes after them are; all when there are no parts. */
function missingRange(parts: readonly PartRow[], partSizeBytes: number): ByteRange | undefined {
  let firstByte = 0;
  for (const part of parts) {
    const partStart = part.index * partSizeBytes;
    if (partStart !== firstByte) return { firstByte, lastByte: partStart - 1 };
    firstByte += part.sizeBytes;
  }
  return firstByte === 0 ? { firstByte, lastByte: partSizeBytes - 1 } : undefined;
}

function checkClaims(
  { sizeBytes, treeHash }: { readonly sizeBytes: number; readonly treeHash: string },
  completion: Completion,
): void {
  checkSize(sizeBytes, completion);
  if (treeHash !== completion.treeHash.toLowerCase()) {
    throw invalidParameter(`Invalid x-amz-sha256-tree-hash: ${completion.treeHash}`);
  }
}

function checkSize(sizeBytes: number, { archiveSize }: Completion): void {
  if (Number(archiveSize) !== sizeBytes) throw otherSize(archiveSize);
}

function otherSize(archiveSize: string): GlacierError {
  return invalidParameter(`Invalid x-amz-archive-size: ${archiveSize}`);
}

/** An archive of parts has no bytes of its own. */
async function* noBytes(): AsyncGenerator<Uint8Array> {}
