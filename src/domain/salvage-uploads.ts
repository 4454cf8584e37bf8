import { assert } from '../lib/assert.ts';
import { limits } from '../protocol/limits.ts';
import type { BlobId } from '../storage/blob-store.ts';
import type { Rows, WritableRows } from '../storage/metadata-store.ts';
import type { ArchiveBlob, ArchiveRow, PartRow, UploadRow } from '../storage/rows.ts';
import type { PartLabel, UploadedArchiveLabel } from './blob-labels.ts';
import { type LabelledBlob, readLabel } from './salvage-labels.ts';
import { FoundParts, partsOfArchive } from './salvage-parts.ts';
import { ensureVault, isLost, type MadeRow, type RowOptions } from './salvage-rows.ts';
import { type BrokenArchive, isListWhole } from './salvage-standing.ts';

const partsMax = limits.partsPerUploadMax;

/** An archive that was uploaded in parts and can't be had whole from those that are there. */
export interface IncompleteArchive {
  readonly accountId: string;
  readonly region: string;
  readonly vaultName: string;
  readonly archiveId: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  /** Why, as a sentence. */
  readonly problem: string;
}

export type MadeUpload =
  | MadeRow
  | { readonly kind: 'incomplete'; readonly archive: IncompleteArchive };

/** The labels that tell of one upload: several when it was completed more than once. */
interface FoundUpload {
  readonly labelled: BlobId[];
  partCount: number;
}

/** The uploads that became archives without a row, or without all rows, by the labels of these. */
export class FoundUploads {
  readonly #byId = new Map<string, FoundUpload>();

  add({ blobId, label: { uploadId, partCount } }: LabelledBlob<UploadedArchiveLabel>): void {
    const known = this.#byId.get(uploadId);
    if (known === undefined) {
      this.#byId.set(uploadId, { labelled: [blobId], partCount });
      return;
    }
    known.labelled.push(blobId);
    known.partCount = Math.max(known.partCount, partCount);
  }

  has(uploadId: string): boolean {
    return this.#byId.has(uploadId);
  }

  /** All of them, in rounds of about `partCountMax` parts; one round if there are none. */
  *rounds(partCountMax: number): Generator<UploadRound> {
    let round = new UploadRound();
    let partCount = 0;
    for (const [uploadId, found] of this.#byId) {
      if (partCount > 0 && partCount + found.partCount > partCountMax) {
        yield round;
        round = new UploadRound();
        partCount = 0;
      }
      round.take(uploadId, found.labelled);
      partCount += found.partCount;
    }
    yield round;
  }
}

/** Some uploads, and the parts of them that are found. */
export class UploadRound {
  readonly #byId = new Map<
    string,
    { readonly labelled: readonly BlobId[]; readonly parts: FoundParts }
  >();

  take(uploadId: string, labelled: readonly BlobId[]): void {
    this.#byId.set(uploadId, { labelled, parts: new FoundParts() });
  }

  /** Keeps the part if it is one of these uploads'. */
  add({ blobId, label }: LabelledBlob<PartLabel>): void {
    const { uploadId, index, sizeBytes, treeHash } = label;
    this.#byId.get(uploadId)?.parts.add({ index, blobId, sizeBytes, treeHash });
  }

  /** Makes the rows of each archive, with its upload and its parts, in a transaction of its own. */
  async *makeAll(options: RowOptions & { readonly signal: AbortSignal }) {
    for (const [uploadId, { labelled, parts }] of this.#byId) {
      options.signal.throwIfAborted();
      yield await makeUploadedArchive({ uploadId, labelled, parts }, options);
    }
  }
}

interface GatheredUpload {
  readonly uploadId: string;
  readonly labelled: readonly BlobId[];
  readonly parts: FoundParts;
}

type OwnBlob = LabelledBlob<UploadedArchiveLabel>;

/** An archive that has a row. */
interface MadeArchive {
  readonly archive: ArchiveRow;
  readonly blobs: readonly ArchiveBlob[];
  readonly own: OwnBlob;
}

/** What the rows have of an upload. */
interface Standing {
  readonly upload: UploadRow | undefined;
  readonly parts: readonly PartRow[];
  /** The archive that it became, if that has a row. */
  readonly made: MadeArchive | undefined;
  /** Labels of which an archive may be made, the likeliest first. */
  readonly eligible: readonly OwnBlob[];
  readonly isVaultDeleted: boolean;
}

async function makeUploadedArchive(
  gathered: GatheredUpload,
  options: RowOptions,
): Promise<MadeUpload> {
  const own = await ownBlobs(gathered, options);
  const standing = await options.store.read((rows) => lookAt(rows, gathered, own, options));
  const { made, eligible } = standing;
  const [first] = eligible;
  if (first === undefined && made === undefined) return { kind: 'spare' };
  if (standing.isVaultDeleted) return { kind: 'vault-deleted' };
  if (made !== undefined && (await isListWhole(made.archive, made.blobs, options))) {
    return { kind: 'spare' };
  }
  for (const part of standing.parts) {
    if (!(await isLost(part.blobId, options.blobs))) gathered.parts.addNamed(part);
  }
  if (made !== undefined) return await mendArchive(made, { ...standing, gathered }, options);
  const problems: string[] = [];
  for (const one of eligible) {
    const found = partsOfArchive(one.label, gathered.parts);
    if ('problem' in found) {
      problems.push(`${found.problem}.`);
      continue;
    }
    const { parts } = found;
    return await options.store.write((rows) =>
      insertAll(rows, one, { ...standing, parts }, options),
    );
  }
  assert(first !== undefined, 'there is a label of which an archive may be made');
  return { kind: 'incomplete', archive: incomplete(first.label, problems[0] ?? '') };
}

/** Has the rows name all parts of an archive that has a row, if they are there. */
async function mendArchive(
  { archive, own: { label } }: MadeArchive,
  { upload, gathered }: Pick<Standing, 'upload'> & { readonly gathered: GatheredUpload },
  { store }: RowOptions,
): Promise<MadeUpload> {
  const { archiveId, sizeBytes, treeHash } = archive;
  const isSame = label.sizeBytes === sizeBytes && label.treeHash === treeHash;
  if (!isSame || upload?.archive?.archiveId !== archiveId) {
    const problem = 'Its label does not say what its rows say.';
    return { kind: 'incomplete', archive: incomplete(label, problem) };
  }
  const found = partsOfArchive(label, gathered.parts);
  if ('problem' in found) {
    return { kind: 'incomplete', archive: incomplete(label, `${found.problem}.`) };
  }
  await store.write(async (rows) => {
    await replaceParts(rows, found.parts, upload);
    await rows.uploads.update(upload);
  });
  return { kind: 'repointed' };
}

/** The latest first: the answer to one that came before it may never have arrived. */
async function ownBlobs(
  { labelled }: GatheredUpload,
  { blobs }: RowOptions,
): Promise<readonly OwnBlob[]> {
  const own: OwnBlob[] = [];
  for (const blobId of labelled) {
    const label = await readLabel(blobId, blobs);
    if ('kind' in label && label.kind === 'uploaded-archive') own.push({ blobId, label });
  }
  return own.sort((a, b) => b.label.createdAtMs - a.label.createdAtMs);
}

async function lookAt(
  rows: Rows,
  { uploadId }: GatheredUpload,
  own: readonly OwnBlob[],
  { vaultRows }: RowOptions,
): Promise<Standing> {
  const upload = await rows.uploads.get(uploadId);
  const parts = await rows.uploads.listParts({ uploadId, after: null, limit: partsMax });
  const { isMade, made } = await findMade(rows, own);
  const eligible = isMade ? [] : own.filter(({ label }) => mayBecome(upload, label.archiveId));
  const [first] = eligible;
  const isVaultDeleted =
    first !== undefined &&
    (await rows.vaults.getById(first.label.vaultId)) === undefined &&
    (!vaultRows.has(first.label.vaultId) || (await rows.vaults.get(first.label)) !== undefined);
  return { upload, parts, made, eligible, isVaultDeleted };
}

/** Whether the upload became an archive, and which, unless that was removed. */
async function findMade(
  rows: Rows,
  labelled: readonly OwnBlob[],
): Promise<{ readonly isMade: boolean; readonly made: MadeArchive | undefined }> {
  for (const own of labelled) {
    const { archiveId } = own.label;
    const archive = await rows.archives.get(archiveId);
    if (archive === undefined) continue;
    if (archive.removedChange !== null) return { isMade: true, made: undefined };
    return { isMade: true, made: { archive, own, blobs: await rows.archives.blobs(archiveId) } };
  }
  return { isMade: false, made: undefined };
}

/** Whether the row of an upload, if there is one, is no proof that it became no such archive. */
function mayBecome(upload: UploadRow | undefined, archiveId: string): boolean {
  if (upload === undefined || upload.state === 'Open') return true;
  return upload.archive?.archiveId === archiveId && !upload.isDiscarded;
}

async function insertAll(
  rows: WritableRows,
  { blobId, label }: OwnBlob,
  { upload, parts }: Pick<Standing, 'upload' | 'parts'>,
  { clock, vaultRows }: RowOptions,
): Promise<MadeUpload> {
  const vault = await ensureVault(rows, label, vaultRows.get(label.vaultId));
  if (vault === 'deleted') return { kind: 'vault-deleted' };
  const { uploadId, archiveId, vaultId, description, createdAtMs, sizeBytes, treeHash } = label;
  const completed = completedUpload(label, upload);
  if (upload === undefined) await rows.uploads.insert(completed);
  await replaceParts(rows, parts, completed);
  const change = { archives: 1, sizeBytes, atMs: clock.now() } as const;
  const addedChange = await rows.vaults.recordChange(vaultId, change);
  const facts = { archiveId, vaultId, description, createdAtMs, sizeBytes, treeHash };
  const archive = { ...facts, addedChange, removedChange: null };
  await rows.archives.insertUploaded(archive, uploadId, blobId);
  await rows.uploads.update(completed);
  return { kind: 'archive-made', isVaultMade: vault === 'made' };
}

async function replaceParts(
  { uploads }: WritableRows,
  parts: readonly PartRow[],
  { uploadId, activeAtMs }: UploadRow,
): Promise<void> {
  const query = { uploadId, after: parts.length - 1, limit: partsMax };
  const beyond = (await uploads.listParts(query)).map(({ index }) => index);
  await uploads.removeParts(uploadId, beyond);
  for (const part of parts) await uploads.putPart(uploadId, part, activeAtMs);
}

/** No label says when the upload began: it counts as begun when it was completed. */
function completedUpload(label: UploadedArchiveLabel, known: UploadRow | undefined): UploadRow {
  const { uploadId, archiveId, vaultId, partSizeBytes, description, createdAtMs } = label;
  const { sizeBytes, treeHash } = label;
  return {
    uploadId,
    vaultId,
    partSizeBytes,
    description: description === '' ? null : description,
    createdAtMs: known?.createdAtMs ?? createdAtMs,
    activeAtMs: createdAtMs,
    state: 'Completed',
    archive: { archiveId, sizeBytes, treeHash },
    endedAtMs: createdAtMs,
    isDiscarded: false,
  };
}

function incomplete(
  { accountId, region, vaultName, ...label }: UploadedArchiveLabel,
  problem: string,
): IncompleteArchive {
  const { archiveId, description, sizeBytes, createdAtMs } = label;
  return { accountId, region, vaultName, archiveId, description, sizeBytes, createdAtMs, problem };
}

/** An archive that has a row, and whose label is lost. */
export function withoutLabel({ archive, vault }: BrokenArchive): IncompleteArchive {
  const { archiveId, description, sizeBytes, createdAtMs } = archive;
  const { accountId = '', region = '', vaultName = '' } = vault ?? {};
  const facts = { accountId, region, vaultName, archiveId, description, sizeBytes, createdAtMs };
  return { ...facts, problem: 'The blob with its label is lost.' };
}
