import type { IncomingPart } from '../../src/domain/upload-parts.ts';
import type { NewUpload } from '../../src/domain/uploads.ts';
import { bodyOf, type Domain, goingOn, photos } from './domain.ts';
import { mebibyte, treeHashOf } from './tree-hash-reference.ts';

type Uploads = Pick<Domain, 'uploads'>;

/** Initiates an upload in parts of 1 MiB to the vault `photos`, or what `change` says. */
export function initiate({ uploads }: Uploads, change: Partial<NewUpload> = {}): Promise<string> {
  return uploads.initiate({
    vault: photos,
    partSize: String(mebibyte),
    description: undefined,
    ...change,
  });
}

/** A part of `bytes` that starts at byte `at`, with the right hash, or with what `change` says. */
export function partOf(
  uploadId: string,
  at: number,
  bytes: Uint8Array,
  change: Partial<IncomingPart> = {},
): IncomingPart {
  return {
    vault: photos,
    uploadId,
    range: `bytes ${at}-${at + bytes.length - 1}/*`,
    treeHash: treeHashOf(bytes),
    body: bodyOf(bytes),
    signal: goingOn,
    ...change,
  };
}

/** The bytes of an archive, cut into parts, with their places in it. */
export function cut(
  whole: Uint8Array,
  partSizeBytes = mebibyte,
): (readonly [number, Uint8Array])[] {
  return Array.from({ length: Math.ceil(whole.length / partSizeBytes) }, (_, index) => {
    const at = index * partSizeBytes;
    return [at, whole.subarray(at, at + partSizeBytes)] as const;
  });
}

/** Puts all parts of an archive, one after the other. */
export async function putAll(
  { uploads }: Uploads,
  uploadId: string,
  whole: Uint8Array,
  partSizeBytes = mebibyte,
): Promise<void> {
  for (const [at, bytes] of cut(whole, partSizeBytes)) {
    await uploads.putPart(partOf(uploadId, at, bytes));
  }
}

/** What makes an upload the archive `whole`, or what `change` says. */
export function completionOf(uploadId: string, whole: Uint8Array, change: object = {}) {
  return {
    vault: photos,
    uploadId,
    archiveSize: String(whole.length),
    treeHash: treeHashOf(whole),
    signal: goingOn,
    ...change,
  };
}

/** Stores an archive in parts in the vault `photos`, and answers its id and that of its upload. */
export async function storeInParts(
  domain: Uploads,
  whole: Uint8Array,
  { partSizeBytes = mebibyte, description }: Partial<StoreInParts> = {},
): Promise<{ readonly archiveId: string; readonly uploadId: string }> {
  const uploadId = await initiate(domain, { partSize: String(partSizeBytes), description });
  await putAll(domain, uploadId, whole, partSizeBytes);
  const { archiveId } = await domain.uploads.complete(completionOf(uploadId, whole));
  return { archiveId, uploadId };
}

interface StoreInParts {
  readonly partSizeBytes: number;
  readonly description: string;
}

/** The parts of an open upload, as the first page shows them: range and tree hash of each. */
export async function shownParts({ uploads }: Uploads, uploadId: string) {
  const { parts } = await uploads.listParts({ vault: photos, uploadId }, {});
  return parts.map(({ rangeInBytes, sHA256TreeHash }) => [rangeInBytes, sHA256TreeHash]);
}
