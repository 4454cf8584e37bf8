import { defined } from '../lib/assert.ts';
import { type ByteRange, parseContentRange } from '../protocol/byte-range.ts';
import { invalidParameter, otherLength } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import type { BlobContent, BlobId, BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import { claimedTreeHash } from './archive-hashes.ts';
import { encodeBlobLabel, type PartLabel } from './blob-labels.ts';
import { commitBlobs, removeQuietly } from './new-blobs.ts';
import type { Pins } from './pins.ts';
import { whileBytesAreTaken } from './room.ts';
import { notingWhoFindsNoRoom } from './upload-activity.ts';
import {
  type FoundUpload,
  openUploadAt,
  type UploadAddress,
  type UploadExpiry,
} from './upload-lookups.ts';

/** A part on its way in. */
export interface IncomingPart extends UploadAddress {
  /** `Content-Range`: which bytes of the archive it is. */
  readonly range: string;
  /** What the caller says its tree hash is: hexadecimal digits. */
  readonly treeHash: string;
  /** Its bytes. Throws at its end when they are not what the caller signed. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

export interface UploadPartsOptions extends UploadExpiry {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly pins: Pins;
}

/** Where a part lies in its upload, and how long it is. */
interface PartPlace {
  readonly index: number;
  readonly sizeBytes: number;
}

/**
 * Takes in the parts of uploads. One is there whole or not at all: of several in one place that whose
 * bytes are durable last stays, and a failure leaves the one that was there.
 */
export class UploadParts {
  readonly #options: UploadPartsOptions;

  constructor(options: UploadPartsOptions) {
    this.#options = options;
  }

  /** Stores the part, and answers its tree hash once no crash can lose it. */
  async put(part: IncomingPart): Promise<{ readonly treeHash: string }> {
    const range = rangeOf(part);
    return await notingWhoFindsNoRoom(part, this.#options, () =>
      whileBytesAreTaken(this.#options, () => this.#keep(part, range)),
    );
  }

  async #keep(part: IncomingPart, range: ByteRange): Promise<PartLabel> {
    const { store, blobs, pins } = this.#options;
    // Looked up again in the transaction that adds the row.
    const found = await store.read((rows) => openUploadAt(rows, part, this.#options));
    const place = placeOf(part, range, found.upload.partSizeBytes);
    let label: PartLabel | undefined;
    const blob = await blobs.write(bodyOf(part, place), {
      signal: part.signal,
      label: (content) => {
        label = labelOf(part, { found, place, content });
        return encodeBlobLabel(label);
      },
    });
    const facts = defined(label, 'the label of a blob that was written');
    let replaced: BlobId | null = null;
    await commitBlobs([blob.id], { blobs, pins }, async () => {
      replaced = await this.#insert(part, facts, blob.id);
      return [blob.id];
    });
    if (replaced !== null) await removeQuietly(blobs, [replaced]);
    return facts;
  }

  /** One transaction: the part takes its place, if the upload is open still. */
  #insert(part: IncomingPart, label: PartLabel, blobId: BlobId): Promise<BlobId | null> {
    const { store, timeBounds } = this.#options;
    const { uploadId, index, sizeBytes, treeHash } = label;
    return store.write(async (rows) => {
      await openUploadAt(rows, part, this.#options);
      return await rows.uploads.putPart(
        uploadId,
        { index, blobId, sizeBytes, treeHash },
        timeBounds.earliest(),
      );
    });
  }
}

/** The range that a part is of; `400` when it is none. */
function rangeOf(part: IncomingPart): ByteRange {
  const range = parseContentRange(part.range);
  if (range === undefined) throw invalidParameter(`Invalid Content-Range: ${part.range}`);
  return range;
}

/** `400` when no part of the upload can lie there. */
function placeOf(part: IncomingPart, range: ByteRange, partSizeBytes: number): PartPlace {
  const index = range.firstByte / partSizeBytes;
  const sizeBytes = lengthOf(range);
  if (!Number.isInteger(index)) {
    throw invalidParameter(
      `Content-Range: ${part.range} is not aligned with part size: ${partSizeBytes}`,
    );
  }
  if (sizeBytes > partSizeBytes) {
    throw invalidParameter(
      `Content-Range: ${part.range} is incompatible with part size: ${partSizeBytes}`,
    );
  }
  if (index >= limits.partsPerUploadMax) {
    throw invalidParameter(
      `This is part number ${index + 1} for the current multipart upload. ` +
        `It exceeds the limit of ${limits.partsPerUploadMax} parts.`,
    );
  }
  return { index, sizeBytes };
}

/** The bytes of a part. One whose length was not announced ends where it gets too long. */
async function* bodyOf(
  part: IncomingPart,
  { sizeBytes: sizeBytesMax }: PartPlace,
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of part.body) {
    sizeBytes += chunk.length;
    if (sizeBytes > sizeBytesMax) throw otherLength(part.range, sizeBytes);
    yield chunk;
  }
}

/** What is known of the part now that all its bytes are there; throws when they are not right. */
function labelOf(
  part: IncomingPart,
  facts: {
    readonly found: FoundUpload;
    readonly place: PartPlace;
    readonly content: BlobContent;
  },
): PartLabel {
  const { found, place, content } = facts;
  const { sizeBytes, leaves } = content;
  if (sizeBytes !== place.sizeBytes) throw otherLength(part.range, sizeBytes);
  return {
    kind: 'part',
    version: 1,
    accountId: found.vault.accountId,
    region: found.vault.region,
    vaultName: found.vault.vaultName,
    vaultId: found.vault.vaultId,
    uploadId: found.upload.uploadId,
    partSizeBytes: found.upload.partSizeBytes,
    index: place.index,
    sizeBytes,
    treeHash: claimedTreeHash(part.treeHash, leaves),
  };
}

function lengthOf({ firstByte, lastByte }: ByteRange): number {
  return lastByte - firstByte + 1;
}
