import { randomBytes } from 'node:crypto';
import { datedId } from '../../src/lib/random.ts';
import { idLengths } from '../../src/protocol/names.ts';
import type { WritableRows } from '../../src/storage/metadata-store.ts';
import type { JobRow, VaultKey } from '../../src/storage/rows.ts';
import { blobIdOf, type FilledStores } from './filled-stores.ts';

const dayMs = 24 * 60 * 60 * 1000;
const mib = 1024 * 1024;
const partsPerUpload = 10_000;
const treeHash = 'a'.repeat(64);

/** The vaults that are listed, or whose jobs and uploads are. */
export const listed = { vault: 'lists', jobs: 'lists-jobs', uploads: 'lists-uploads' } as const;

/**
 * Puts in so many vaults, so many jobs, of which each thousandth failed and each hundredth is in
 * progress, so many uploads, and so many parts in uploads of 10,000. Answers one of these.
 */
export async function fillLists(stores: FilledStores, rows: number): Promise<string> {
  const { key } = await stores.vault(listed.vault);
  const nowMs = Date.now();
  await stores.put(rows, (to, index) => putVault(to, key, `v-${index}`));
  await stores.put(1, (to) => putVault(to, key, listed.jobs));
  await stores.put(1, (to) => putVault(to, key, listed.uploads));
  await stores.put(rows, ({ jobs }, index) => {
    const job = jobOf(listed.jobs, nowMs - rows + index);
    if (index % 1000 === 0) return jobs.insert({ ...job, status: 'Failed' });
    if (index % 100 !== 1) return jobs.insert(job);
    // Not due before the measurement is over.
    const open = { status: 'InProgress', completedAtMs: null, expiresAtMs: null } as const;
    return jobs.insert({ ...job, ...open, dueAtMs: nowMs + dayMs });
  });
  await stores.put(rows, async (to, index) => {
    await putUpload(to, nowMs - rows + index);
  });
  let uploadId = '';
  await stores.put(rows, async (to, index) => {
    const part = { index: index % partsPerUpload, treeHash, blobId: blobIdOf(index) };
    if (part.index === 0) uploadId = await putUpload(to, nowMs);
    await to.uploads.putPart(uploadId, { ...part, sizeBytes: mib }, nowMs);
  });
  return uploadId;
}

/** Puts in a vault with so many jobs that expired yesterday, and a few that did not. */
export async function fillExpired(
  stores: FilledStores,
  vaultName: string,
  rows: number,
): Promise<void> {
  const { key } = await stores.vault(listed.vault);
  const createdAtMs = Date.now() - 3 * dayMs;
  await stores.put(1, (to) => putVault(to, key, vaultName));
  await stores.put(rows, ({ jobs }, index) => {
    const job = jobOf(vaultName, createdAtMs + index);
    const isLeft = index % Math.ceil(rows / 10) === 0;
    return jobs.insert(isLeft ? job : { ...job, expiresAtMs: createdAtMs + 2 * dayMs });
  });
}

/** Its name is its id, too. */
async function putVault({ vaults }: WritableRows, key: VaultKey, name: string): Promise<void> {
  await vaults.insert({
    ...key,
    vaultName: name,
    vaultId: name,
    createdAtMs: Date.now(),
    archiveCount: 0,
    sizeBytes: 0,
    changes: 0,
    changedAtMs: null,
    lastInventory: null,
  });
}

async function putUpload({ uploads }: WritableRows, createdAtMs: number): Promise<string> {
  const uploadId = idAt(createdAtMs, idLengths.upload);
  await uploads.insert({
    uploadId,
    vaultId: listed.uploads,
    partSizeBytes: mib,
    description: 'an upload',
    createdAtMs,
    activeAtMs: createdAtMs,
    state: 'Open',
    archive: null,
    endedAtMs: null,
    isDiscarded: false,
  });
  return uploadId;
}

function jobOf(vaultId: string, createdAtMs: number): JobRow {
  return {
    jobId: idAt(createdAtMs, idLengths.job),
    vaultId,
    action: 'ArchiveRetrieval',
    retrieval: {
      archiveId: idAt(createdAtMs, idLengths.archive),
      archiveSizeBytes: mib,
      archiveTreeHash: treeHash,
      firstByte: 0,
      lastByte: mib - 1,
      treeHash,
      tier: 'Standard',
    },
    inventory: null,
    description: 'a job',
    snsTopic: null,
    status: 'Succeeded',
    createdAtMs,
    dueAtMs: createdAtMs,
    completedAtMs: createdAtMs,
    expiresAtMs: Date.now() + dayMs,
    output: null,
  };
}

function idAt(atMs: number, length: number): string {
  return datedId(randomBytes, { atMs, length });
}
