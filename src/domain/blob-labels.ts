/**
 * What is kept with the bytes of an archive: all that its row says of it, but for its place in the
 * history of its vault. With it an archive can be told from its bytes alone.
 */
export interface ArchiveLabel {
  readonly kind: 'archive';
  readonly version: 1;
  readonly accountId: string;
  readonly region: string;
  readonly vaultName: string;
  readonly vaultId: string;
  readonly archiveId: string;
  readonly description: string;
  readonly createdAtMs: number;
  readonly sizeBytes: number;
  /** SHA-256 tree hash, 64 lower-case hexadecimal digits. */
  readonly treeHash: string;
}

/** What is kept with the bytes of a part of a multipart upload. */
export interface PartLabel {
  readonly kind: 'part';
  readonly version: 1;
  readonly accountId: string;
  readonly region: string;
  readonly vaultName: string;
  readonly vaultId: string;
  readonly uploadId: string;
  readonly partSizeBytes: number;
  /** Where it lies: its first byte divided by the part size, from 0 on. */
  readonly index: number;
  readonly sizeBytes: number;
  /** SHA-256 tree hash, 64 lower-case hexadecimal digits. */
  readonly treeHash: string;
}

/**
 * What is kept of an archive that was uploaded in parts, with an empty blob of its own: that the parts
 * are an archive, and which. Durable before the archive is acknowledged.
 */
export interface UploadedArchiveLabel extends Omit<ArchiveLabel, 'kind'> {
  readonly kind: 'uploaded-archive';
  readonly uploadId: string;
  readonly partSizeBytes: number;
  readonly partCount: number;
}

/** What is kept with the output of an inventory job. */
export interface InventoryLabel {
  readonly kind: 'inventory';
  readonly jobId: string;
  readonly vaultId: string;
}

export type BlobLabel = ArchiveLabel | PartLabel | UploadedArchiveLabel | InventoryLabel;

/** The label as text, as a store keeps it. */
export function encodeBlobLabel(label: BlobLabel): string {
  return JSON.stringify(label);
}

/** What the text says; undefined when it is no label, or one of a version that is not known. */
export function parseBlobLabel(text: string): BlobLabel | undefined {
  const value = parseJson(text);
  if (hasMembers(value, archiveMembers)) return value;
  if (hasMembers(value, partMembers)) return value;
  if (hasMembers(value, uploadedArchiveMembers)) return value;
  if (hasMembers(value, inventoryMembers)) return value;
  return undefined;
}

/** What each member of a label must be. */
type Members<T> = { readonly [M in keyof T]: (value: unknown) => boolean };

const archiveMembers: Members<ArchiveLabel> = {
  kind: (value) => value === 'archive',
  version: (value) => value === 1,
  accountId: isName,
  region: isName,
  vaultName: isName,
  vaultId: isName,
  archiveId: isName,
  description: (value) => typeof value === 'string',
  createdAtMs: isCount,
  sizeBytes: isCount,
  treeHash: isTreeHash,
};

const partMembers: Members<PartLabel> = {
  kind: (value) => value === 'part',
  version: (value) => value === 1,
  accountId: isName,
  region: isName,
  vaultName: isName,
  vaultId: isName,
  uploadId: isName,
  partSizeBytes: isCount,
  index: isCount,
  sizeBytes: isCount,
  treeHash: isTreeHash,
};

const uploadedArchiveMembers: Members<UploadedArchiveLabel> = {
  ...archiveMembers,
  kind: (value) => value === 'uploaded-archive',
  uploadId: isName,
  partSizeBytes: isCount,
  partCount: isCount,
};

const inventoryMembers: Members<InventoryLabel> = {
  kind: (value) => value === 'inventory',
  jobId: isName,
  vaultId: isName,
};

/** Whether `value` has these members, each as it must be, and no others. */
function hasMembers<T extends object>(value: unknown, members: Members<T>): value is T {
  if (typeof value !== 'object' || value === null) return false;
  const checks = Object.entries<(value: unknown) => boolean>(members);
  const given = new Map<string, unknown>(Object.entries(value));
  return (
    given.size === checks.length && checks.every(([name, isRight]) => isRight(given.get(name)))
  );
}

function isTreeHash(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON is no label, as other JSON is not one.
    return undefined;
  }
}
