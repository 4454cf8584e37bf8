import type { PartRow, UploadPosition, UploadRow, VaultRow } from '../storage/rows.ts';
import { type BlobCheckOptions, problemOfBlob } from './check-blobs.ts';
import { allVaults, type RowReader } from './check-rows.ts';

const uploadsPerPage = 100;
const partsPerPage = 1000;
/** Uploads of a vault that is gone are the longest idle ones: nothing can be done to them. */
const uploadsOfNoVaultMax = 10_000;

export interface UploadCheckOptions extends BlobCheckOptions {
  readonly rows: RowReader;
}

export interface CheckedPart {
  readonly bytesRead: number;
  /** What is wrong, as a sentence. */
  readonly problem: string | undefined;
}

/** Reads every part of every open upload. Those of uploads that have ended are read as archives. */
export async function* checkParts(options: UploadCheckOptions): AsyncGenerator<CheckedPart> {
  for await (const vault of allVaults(options.rows)) {
    for await (const upload of openUploads(vault, options)) {
      for await (const part of partsOf(upload, options)) {
        const checked = await checkPart(part, { upload, vault }, options);
        if (checked !== undefined) yield checked;
      }
    }
  }
}

/**
 * Open uploads whose vault has no row, as sentences. Nothing is wrong with them: where a vault with very
 * many is deleted, some are given up a little later.
 */
export async function uploadsOfNoVault(rows: RowReader): Promise<readonly string[]> {
  return await rows.read(async ({ uploads, vaults }) => {
    const found = new Map<string, boolean>();
    const sentences: string[] = [];
    const all = await uploads.listIdle(Number.MAX_SAFE_INTEGER, uploadsOfNoVaultMax);
    for (const { uploadId, vaultId } of all) {
      const isThere = found.get(vaultId) ?? (await vaults.getById(vaultId)) !== undefined;
      found.set(vaultId, isThere);
      if (isThere) continue;
      sentences.push(
        `The upload ${uploadId} is open, and its vault, ${vaultId}, was deleted: it is given up soon.`,
      );
    }
    return sentences;
  });
}

async function* openUploads(
  { vaultId }: VaultRow,
  { rows, signal }: UploadCheckOptions,
): AsyncGenerator<UploadRow> {
  let after: UploadPosition | null = null;
  for (;;) {
    signal.throwIfAborted();
    const idleSinceMs = Number.MIN_SAFE_INTEGER;
    const query = { vaultId, idleSinceMs, after, limit: uploadsPerPage };
    const page: UploadRow[] = await rows.read(({ uploads }) => uploads.list(query));
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = { createdAtMs: last.createdAtMs, uploadId: last.uploadId };
  }
}

async function* partsOf(
  { uploadId }: UploadRow,
  { rows, signal }: UploadCheckOptions,
): AsyncGenerator<PartRow> {
  let after: number | null = null;
  for (;;) {
    signal.throwIfAborted();
    const query = { uploadId, after, limit: partsPerPage };
    const page: PartRow[] = await rows.read(({ uploads }) => uploads.listParts(query));
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.index;
  }
}

/** Undefined when the part, or its upload, is gone meanwhile. */
async function checkPart(
  part: PartRow,
  of: { readonly upload: UploadRow; readonly vault: VaultRow },
  options: UploadCheckOptions,
): Promise<CheckedPart | undefined> {
  let current: PartRow | undefined = part;
  while (current !== undefined) {
    const { blobId, sizeBytes, index }: PartRow = current;
    const reason = await problemOfBlob(current, options);
    if (reason === undefined) return { bytesRead: sizeBytes, problem: undefined };
    const now = await partNow(of.upload, index, options);
    if (now?.blobId === blobId) {
      const { vaultName, accountId, region } = of.vault;
      const which = `Part ${index + 1} of the upload ${of.upload.uploadId}`;
      const where = `vault ${vaultName} of account ${accountId} in ${region}`;
      const problem = `${which} to ${where} is damaged: ${reason}.`;
      return { bytesRead: sizeBytes, problem };
    }
    // It moved meanwhile, another one was put in its place, or its upload ended.
    current = now;
  }
  return undefined;
}

function partNow(
  { uploadId }: UploadRow,
  index: number,
  { rows }: UploadCheckOptions,
): Promise<PartRow | undefined> {
  return rows.read(async ({ uploads }) => {
    if ((await uploads.get(uploadId))?.state !== 'Open') return undefined;
    const [part] = await uploads.listParts({ uploadId, after: index - 1, limit: 1 });
    return part?.index === index ? part : undefined;
  });
}
