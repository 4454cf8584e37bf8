import type { Bell } from '../lib/bell.ts';
import { datedId } from '../lib/random.ts';
import { invalidParameter } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import { idLengths } from '../protocol/names.ts';
import type { Input, Output } from '../protocol/shapes/all.ts';
import type { VaultKey } from '../storage/rows.ts';
import { whileThereIsRoom } from './room.ts';
import {
  type CompletedUpload,
  type Completion,
  UploadCompletions,
  type UploadCompletionsOptions,
} from './upload-completion.ts';
import { UploadLists, type UploadListsOptions } from './upload-lists.ts';
import { type UploadAddress, uploadAt, uploadNotFound } from './upload-lookups.ts';
import { type IncomingPart, UploadParts, type UploadPartsOptions } from './upload-parts.ts';
import { abort, isOpen, isRemembered } from './upload-states.ts';
import { vaultAt } from './vaults.ts';

/** What a new upload is to be. */
export interface NewUpload {
  readonly vault: VaultKey;
  /** `x-amz-part-size`, as it was sent. */
  readonly partSize: string | undefined;
  readonly description: string | undefined;
}

export interface UploadsOptions
  extends UploadPartsOptions,
    UploadCompletionsOptions,
    UploadListsOptions {
  /** Rung when uploads were aborted. */
  readonly aborts: Bell;
}

/**
 * Multipart uploads: initiated, fed with parts, and made an archive or given up. An upload that nothing
 * was done to for too long is as if it had never been, from that moment on.
 */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #parts: UploadParts;
  readonly #completions: UploadCompletions;
  readonly #lists: UploadLists;

  constructor(options: UploadsOptions) {
    this.#options = options;
    this.#parts = new UploadParts(options);
    this.#completions = new UploadCompletions(options);
    this.#lists = new UploadLists(options);
  }

  /** Begins an upload and answers its id. */
  async initiate({ vault, partSize, description }: NewUpload): Promise<string> {
    const { store, blobs, clock, timeBounds, randomBytes } = this.#options;
    const partSizeBytes = parsePartSize(partSize);
    const atMs = clock.now();
    const uploadId = datedId(randomBytes, { atMs, length: idLengths.upload });
    await whileThereIsRoom(blobs, () =>
      store.write(async (rows) => {
        const { vaultId } = await vaultAt(rows, vault);
        await rows.uploads.insert({
          uploadId,
          vaultId,
          partSizeBytes,
          description: description ?? null,
          createdAtMs: atMs,
          activeAtMs: timeBounds.earliest(),
          state: 'Open',
          archive: null,
          endedAtMs: null,
          isDiscarded: false,
        });
      }),
    );
    return uploadId;
  }

  /** Stores a part, in the place of the one that was there, and answers its tree hash. */
  putPart(part: IncomingPart): Promise<{ readonly treeHash: string }> {
    return this.#parts.put(part);
  }

  /** Makes the upload an archive; one that is an archive already stays the one that it is. */
  complete(completion: Completion): Promise<CompletedUpload> {
    return this.#completions.complete(completion);
  }

  /**
   * Gives the upload up. Developer guide, "Abort Multipart Upload": the operation is idempotent for a
   * short time, and fails once the upload was completed.
   */
  async abort(address: UploadAddress): Promise<void> {
    const { store, timeBounds, uploadExpiryMs, aborts } = this.#options;
    await store.write(async (rows) => {
      const { upload } = await uploadAt(rows, address);
      const nowMs = timeBounds.earliest();
      if (upload.state === 'Aborted' && isRemembered(upload, nowMs)) return;
      if (!isOpen(upload, nowMs, uploadExpiryMs)) throw uploadNotFound(address);
      await rows.uploads.update(abort(upload, nowMs));
    });
    aborts.ring();
  }

  /** A page of the vault's open uploads. */
  list(
    key: VaultKey,
    query: Pick<Input<'ListMultipartUploads'>, 'limit' | 'marker'>,
  ): Promise<Output<'ListMultipartUploads'>> {
    return this.#lists.uploads(key, query);
  }

  /** A page of the parts of an open upload. */
  listParts(
    address: UploadAddress,
    query: Pick<Input<'ListParts'>, 'limit' | 'marker'>,
  ): Promise<Output<'ListParts'>> {
    return this.#lists.parts(address, query);
  }
}

/** The live service's text, which names the case that there is none, too. */
function parsePartSize(text: string | undefined): number {
  const sizeBytes = /^\d+$/.test(text ?? '') ? Number(text) : 0;
  const { partSizeBytesMin, partSizeBytesMax } = limits;
  const isLegal =
    sizeBytes >= partSizeBytesMin &&
    sizeBytes <= partSizeBytesMax &&
    Number.isInteger(Math.log2(sizeBytes));
  if (isLegal) return sizeBytes;
  throw invalidParameter(
    `Invalid part size: ${text ?? null}. Part size must not be null, must be a power of two and ` +
      `be between ${partSizeBytesMin} and ${partSizeBytesMax} bytes.`,
  );
}
