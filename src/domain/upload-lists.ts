import { limits } from '../protocol/limits.ts';
import { toTimestamp, vaultArn } from '../protocol/names.ts';
import type { Input, Output } from '../protocol/shapes/all.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { PartRow, UploadRow, VaultKey } from '../storage/rows.ts';
import type { Markers } from './markers.ts';
import { openUploadAt, type UploadAddress, type UploadExpiry } from './upload-lookups.ts';
import {
  openPartsMarker,
  openUploadsMarker,
  sealPartsMarker,
  sealUploadsMarker,
} from './upload-markers.ts';
import { idleSinceMs } from './upload-states.ts';
import { vaultAt } from './vaults.ts';

export interface UploadListsOptions extends UploadExpiry {
  readonly store: MetadataStore;
  readonly markers: Markers;
}

/** Shows what uploads there are, and what has arrived of each. */
export class UploadLists {
  readonly #options: UploadListsOptions;

  constructor(options: UploadListsOptions) {
    this.#options = options;
  }

  /** A page of the vault's open uploads, by when they were initiated. */
  async uploads(
    key: VaultKey,
    { limit, marker }: Pick<Input<'ListMultipartUploads'>, 'limit' | 'marker'>,
  ): Promise<Output<'ListMultipartUploads'>> {
    const { store, markers, timeBounds, uploadExpiryMs } = this.#options;
    const sizeMax = Math.min(limit ?? limits.listUploadsMax, limits.listUploadsMax);
    const { vaultId, found } = await store.read(async (rows) => {
      const { vaultId } = await vaultAt(rows, key);
      const found = await rows.uploads.list({
        vaultId,
        idleSinceMs: idleSinceMs(timeBounds.earliest(), uploadExpiryMs),
        after: marker === undefined ? null : openUploadsMarker(markers, vaultId, marker),
        limit: sizeMax + 1,
      });
      return { vaultId, found };
    });
    const page = found.slice(0, sizeMax);
    const last = found.length > sizeMax ? page.at(-1) : undefined;
    return {
      marker: last === undefined ? null : sealUploadsMarker(markers, vaultId, last),
      uploadsList: page.map((upload) => describeUpload(upload, key)),
    };
  }

  /** A page of what has arrived of an upload, by where it lies in the archive. */
  async parts(
    address: UploadAddress,
    { limit, marker }: Pick<Input<'ListParts'>, 'limit' | 'marker'>,
  ): Promise<Output<'ListParts'>> {
    const { store, markers } = this.#options;
    const sizeMax = Math.min(limit ?? limits.listPartsMax, limits.listPartsMax);
    const { uploadId } = address;
    const { upload, found } = await store.read(async (rows) => {
      const { upload } = await openUploadAt(rows, address, this.#options);
      const after = marker === undefined ? null : openPartsMarker(markers, uploadId, marker);
      const found = await rows.uploads.listParts({ uploadId, after, limit: sizeMax + 1 });
      return { upload, found };
    });
    const page = found.slice(0, sizeMax);
    const last = found.length > sizeMax ? page.at(-1) : undefined;
    return {
      ...describeUpload(upload, address.vault),
      marker: last === undefined ? null : sealPartsMarker(markers, uploadId, last.index),
      parts: page.map((part) => describePart(part, upload)),
    };
  }
}

function describeUpload(upload: UploadRow, vault: VaultKey) {
  return {
    archiveDescription: upload.description,
    creationDate: toTimestamp(upload.createdAtMs),
    multipartUploadId: upload.uploadId,
    partSizeInBytes: upload.partSizeBytes,
    vaultARN: vaultArn(vault),
  };
}

/** Developer guide, "List Parts": the range is inclusive of both ends. */
function describePart({ index, sizeBytes, treeHash }: PartRow, { partSizeBytes }: UploadRow) {
  const firstByte = index * partSizeBytes;
  return {
    rangeInBytes: `${firstByte}-${firstByte + sizeBytes - 1}`,
    sHA256TreeHash: treeHash,
  };
}
