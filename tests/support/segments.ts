import assert from 'node:assert/strict';
import { encodeBlobLabel } from '../../src/domain/blob-labels.ts';
import { readBlobs } from '../../src/domain/blob-lists.ts';
import type { BlobId, BlobStore } from '../../src/storage/blob-store.ts';
import { ForgetArchives, type ForgetArchivesOptions } from '../../src/workers/forget-archives.ts';
import { type Domain, photos, runUntilIdle, storeText } from './domain.ts';
import { treeHashOf } from './tree-hash-reference.ts';

/** An archive in the vault `photos`. */
export interface StoredText {
  readonly archiveId: string;
  readonly text: string;
}

let count = 0;

/** Stores archives of a hundred letters each, and more with their labels. */
export async function storeTexts(
  domain: Pick<Domain, 'archives'>,
  howMany: number,
): Promise<StoredText[]> {
  const stored: StoredText[] = [];
  for (let index = 0; index < howMany; index += 1) {
    count += 1;
    const text = `archive ${count} `.padEnd(100, 'x');
    stored.push({ archiveId: await storeText(domain, text), text });
  }
  return stored;
}

/** The label of an archive of `text` that has no row. */
export function labelWithoutRow(text: string): string {
  return encodeBlobLabel({
    ...{ kind: 'archive', version: 1, ...photos, vaultId: 'its vault', archiveId: 'lost' },
    ...{ description: '', createdAtMs: 0, sizeBytes: text.length },
    treeHash: treeHashOf(Buffer.from(text)),
  });
}

/** Removes archives from their vault, and their bytes and rows with them. */
export async function forget(
  domain: Pick<Domain, 'archives'> & ForgetArchivesOptions,
  stored: readonly StoredText[],
): Promise<void> {
  for (const { archiveId } of stored) await domain.archives.remove(photos, archiveId);
  await runUntilIdle(new ForgetArchives(domain));
}

/** A segment that nothing is appended to any more, and the few archives that are left in it. */
export async function wastefulSegment(
  domain: Domain,
  { of = 10, left = 3 } = {},
): Promise<StoredText[]> {
  domain.blobs.seal();
  const stored = await storeTexts(domain, of);
  domain.blobs.seal();
  await forget(domain, stored.slice(left));
  return stored.slice(0, left);
}

/** Where the archives' bytes are. */
export async function blobsOf(
  { store }: Pick<Domain, 'store'>,
  stored: readonly StoredText[],
): Promise<readonly BlobId[]> {
  const lists = stored.map(({ archiveId }) => store.read((rows) => rows.archives.blobs(archiveId)));
  return (await Promise.all(lists)).flat().map(({ blobId }) => blobId);
}

/** Each archive can be read, and is what it was. */
export async function assertIntact(
  { store, blobs }: Pick<Domain, 'store'> & { readonly blobs: Pick<BlobStore, 'read'> },
  stored: readonly StoredText[],
): Promise<void> {
  for (const { archiveId, text } of stored) {
    const parts = await store.read((rows) => rows.archives.blobs(archiveId));
    assert.notEqual(parts.length, 0, text);
    const range = { offsetBytes: 0, lengthBytes: text.length };
    const chunks = await Array.fromAsync(readBlobs(blobs, parts, range), (chunk) =>
      Buffer.from(chunk),
    );
    assert.equal(Buffer.concat(chunks).toString(), text);
  }
}
