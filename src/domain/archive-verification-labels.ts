import type { ArchiveRow, VaultRow } from '../storage/rows.ts';
import { type ArchiveLabel, parseBlobLabel } from './blob-labels.ts';

/**
 * What is wrong with the label of an archive's only blob: it must say what the row says, or the row
 * could not be made again from it. Undefined when all is well. A vault that was deleted since has no
 * row to compare with.
 */
export function labelProblem(
  text: string,
  archive: ArchiveRow,
  vault: VaultRow | undefined,
): string | undefined {
  const label = parseBlobLabel(text);
  if (label === undefined) return 'The label of its blob cannot be understood';
  if (label.kind !== 'archive') return `The label of its blob is that of an ${label.kind}`;
  const agreements: Readonly<Record<string, boolean>> = {
    'archive id': label.archiveId === archive.archiveId,
    vault: label.vaultId === archive.vaultId && (vault === undefined || names(label, vault)),
    description: label.description === archive.description,
    'creation date': label.createdAtMs === archive.createdAtMs,
    size: label.sizeBytes === archive.sizeBytes,
    'tree hash': label.treeHash === archive.treeHash,
  };
  const different = Object.keys(agreements).filter((name) => agreements[name] === false);
  if (different.length === 0) return undefined;
  return `The label of its blob does not say what its row says: ${different.join(', ')}`;
}

function names(label: ArchiveLabel, vault: VaultRow): boolean {
  return (
    label.accountId === vault.accountId &&
    label.region === vault.region &&
    label.vaultName === vault.vaultName
  );
}
