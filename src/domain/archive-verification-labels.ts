import type { MetadataStore } from '../storage/metadata-store.ts';
import type { ArchiveBlob, ArchiveRow, UploadRow, VaultRow } from '../storage/rows.ts';
import {
  type ArchiveLabel,
  type BlobLabel,
  type PartLabel,
  parseBlobLabel,
  type UploadedArchiveLabel,
} from './blob-labels.ts';

export interface ArchiveLabelsOptions {
  readonly store: Pick<MetadataStore, 'read'>;
  readonly archive: ArchiveRow;
  readonly blobs: readonly ArchiveBlob[];
}

/**
 * Compares the labels of an archive's blobs with the rows: they must say what these say, or the rows
 * could not be made again from them.
 *
 * 1. The only blob of an archive has the label of the archive.
 * 2. Of an archive that was uploaded in parts each part has its own, and an empty blob behind them that
 *    of the archive. They name an upload, whose row must say that it became this archive.
 * 3. A vault that was deleted since has no row to compare with.
 *
 * The vault is looked up once, and an upload once, however many parts there are.
 */
export class ArchiveLabels {
  readonly #options: ArchiveLabelsOptions;
  readonly #isOfParts: boolean;
  #vault: { readonly row: VaultRow | undefined } | undefined;
  #upload: { readonly uploadId: string; readonly row: UploadRow | undefined } | undefined;

  constructor(options: ArchiveLabelsOptions) {
    this.#options = options;
    this.#isOfParts = options.blobs.some(({ treeHash }) => treeHash !== null);
  }

  /** What is wrong with the list of blobs, as a sentence without its full stop. */
  get listProblem(): string | undefined {
    const { archive, blobs } = this.#options;
    const sizeBytes = blobs.reduce((sum, blob) => sum + blob.sizeBytes, 0);
    if (sizeBytes !== archive.sizeBytes) {
      const expected = `the ${archive.sizeBytes} of the archive`;
      return `Its list of blobs holds ${sizeBytes} bytes, and not ${expected}`;
    }
    const isLabelled = blobs.every(isAtItsPlace);
    if (!this.#isOfParts || isLabelled) return undefined;
    return 'Its list of blobs is not one of parts with an empty blob behind them';
  }

  /** How people call the part at `index`; null when the archive was not uploaded in parts. */
  partName(index: number): string | null {
    const isPart = typeof this.#options.blobs[index]?.treeHash === 'string';
    return isPart ? `part ${index + 1}` : null;
  }

  /** What is wrong with the label of the blob at `index`, as a sentence without its full stop. */
  async problemOf(text: string, index: number): Promise<string | undefined> {
    // None of several blobs that are no parts tells of the whole.
    if (!this.#isOfParts && this.#options.blobs.length !== 1) return undefined;
    const label = parseBlobLabel(text);
    const whose = `The label of ${this.partName(index) ?? 'its blob'}`;
    if (label === undefined) return `${whose} cannot be understood`;
    const agreements = await this.#agreements(label, index);
    if (agreements === undefined) return `${whose} is that of ${kindNames[label.kind]}`;
    const different = Object.keys(agreements).filter((name) => agreements[name] === false);
    if (different.length === 0) return undefined;
    return `${whose} does not say what its row says: ${different.join(', ')}`;
  }

  /** What was compared, and whether it is the same. Undefined of a label of another kind. */
  async #agreements(
    label: BlobLabel,
    index: number,
  ): Promise<Readonly<Record<string, boolean>> | undefined> {
    const blob = this.#options.blobs[index];
    if (label.kind === 'part' && typeof blob?.treeHash === 'string') {
      return {
        vault: await this.#isOfVault(label),
        upload: await this.#isOfUpload(label),
        index: label.index === index,
        size: label.sizeBytes === blob.sizeBytes,
        'tree hash': label.treeHash === blob.treeHash,
      };
    }
    if (label.kind === 'uploaded-archive' && this.#isOfParts && blob?.treeHash === null) {
      return {
        ...(await this.#archiveAgreements(label)),
        upload: await this.#isOfUpload(label),
        parts: this.#areParts(label),
      };
    }
    if (label.kind === 'archive' && !this.#isOfParts) return await this.#archiveAgreements(label);
    return undefined;
  }

  async #archiveAgreements(label: ArchiveLabel | UploadedArchiveLabel) {
    const { archive } = this.#options;
    return {
      'archive id': label.archiveId === archive.archiveId,
      vault: await this.#isOfVault(label),
      description: label.description === archive.description,
      'creation date': label.createdAtMs === archive.createdAtMs,
      size: label.sizeBytes === archive.sizeBytes,
      'tree hash': label.treeHash === archive.treeHash,
    };
  }

  async #isOfVault(label: Exclude<BlobLabel, { kind: 'inventory' }>): Promise<boolean> {
    const { store, archive } = this.#options;
    if (label.vaultId !== archive.vaultId) return false;
    this.#vault ??= { row: await store.read(({ vaults }) => vaults.getById(archive.vaultId)) };
    const { row } = this.#vault;
    if (row === undefined) return true;
    return (
      label.accountId === row.accountId &&
      label.region === row.region &&
      label.vaultName === row.vaultName
    );
  }

  async #isOfUpload({
    uploadId,
    partSizeBytes,
  }: PartLabel | UploadedArchiveLabel): Promise<boolean> {
    const { store, archive } = this.#options;
    if (this.#upload?.uploadId !== uploadId) {
      this.#upload = { uploadId, row: await store.read(({ uploads }) => uploads.get(uploadId)) };
    }
    const { row } = this.#upload;
    return row?.archive?.archiveId === archive.archiveId && row.partSizeBytes === partSizeBytes;
  }

  /** Whether the list has the parts that the label tells of: all but the last of full size. */
  #areParts({ partCount, partSizeBytes }: UploadedArchiveLabel): boolean {
    const parts = this.#options.blobs.slice(0, -1);
    const isSized = parts.every(({ sizeBytes }, index) =>
      index === parts.length - 1 ? sizeBytes <= partSizeBytes : sizeBytes === partSizeBytes,
    );
    return parts.length === partCount && isSized;
  }
}

const kindNames: Readonly<Record<BlobLabel['kind'], string>> = {
  archive: 'an archive',
  part: 'a part',
  'uploaded-archive': 'an archive of parts',
  inventory: 'an inventory',
};

/** Whether a blob of an archive of parts is a part or, in the last place, an empty one. */
function isAtItsPlace(
  { treeHash, sizeBytes }: ArchiveBlob,
  index: number,
  blobs: readonly ArchiveBlob[],
): boolean {
  if (index < blobs.length - 1) return treeHash !== null;
  return treeHash === null && sizeBytes === 0;
}
