import { join } from 'node:path';
import { formatBlobId, type LargeBlobName } from './disk-blob-id.ts';
import type { Layout } from './files.ts';
import type { ExpectedFile } from './header-reader.ts';

/** A file of one blob, or of a snapshot: where it is, and what its header must say. */
export interface LargeFileName {
  readonly path: string;
  /** What errors call it. */
  readonly id: string;
  readonly expected: Omit<ExpectedFile, 'storeId'>;
}

/** What the name of a snapshot says of it. */
export interface SnapshotName {
  readonly sequence: number;
  readonly takenAtMs: number;
  readonly fileId: string;
}

const number = '(0|[1-9][0-9]{0,14})';
const snapshotPattern = new RegExp(`^${number}-${number}-([0-9a-f]{32})$`);

/** The file of a large blob. */
export function fileOfBlob(layout: Layout, name: LargeBlobName): LargeFileName {
  const id = formatBlobId(name);
  const { nonce: fileId, writtenAtMs: createdAtMs, sizeBytes: contentBytes } = name;
  const expected = { kind: 'large', fileId, createdAtMs, contentBytes } as const;
  return { path: join(layout.large, id), id, expected };
}

/** The file of a snapshot. */
export function fileOfSnapshot(layout: Layout, snapshot: SnapshotName): LargeFileName {
  const id = formatSnapshotName(snapshot);
  const { fileId, takenAtMs: createdAtMs } = snapshot;
  const expected = { kind: 'snapshot', fileId, createdAtMs } as const;
  return { path: join(layout.snapshots, id), id, expected };
}

export function formatSnapshotName({ sequence, takenAtMs, fileId }: SnapshotName): string {
  return `${sequence}-${takenAtMs}-${fileId}`;
}

/** What `name` says, or nothing when it is not that of a snapshot. */
export function parseSnapshotName(name: string): SnapshotName | undefined {
  const [, sequence, takenAt, fileId] = snapshotPattern.exec(name) ?? [];
  if (fileId === undefined) return undefined;
  return { sequence: Number(sequence), takenAtMs: Number(takenAt), fileId };
}
