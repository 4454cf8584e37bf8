import type { InspectedFile } from '../upkeep.ts';
import { parseBlobId } from './disk-blob-id.ts';
import { ifThere, isDamage, numbersIn, otherFailure } from './files.ts';
import { growingContentOffset, isGrowing } from './header-copies.ts';
import type { ExpectedFile } from './header-reader.ts';
import { fileOfBlob, fileOfSnapshot, parseSnapshotName } from './large-file-name.ts';
import type { VolumeParts } from './volume-parts.ts';

interface KnownFile {
  readonly path: string;
  readonly expected: Omit<ExpectedFile, 'storeId'>;
}

/** Looks at the headers of all files of a volume, one after the other, and repairs what it can. */
export async function* inspectHeaders(
  parts: VolumeParts,
  signal: AbortSignal,
): AsyncGenerator<InspectedFile> {
  try {
    for (const listing of [growingFiles(parts), snapshotFiles(parts), largeFiles(parts)]) {
      for await (const file of listing) {
        signal.throwIfAborted();
        const found = await inspect(file, parts);
        if (found !== undefined) yield { path: file.path, found };
      }
    }
  } catch (error) {
    throw otherFailure(error, 'read');
  }
}

/** Nothing of a file that has gone meanwhile, or that was only begun. */
async function inspect(
  { path, expected }: KnownFile,
  { files, headers, storeId }: VolumeParts,
): Promise<InspectedFile['found'] | undefined> {
  try {
    const file = await ifThere(files.open(path, 'read'));
    if (file === undefined) return undefined;
    try {
      // As long as nothing follows its headers, they may be about to be written.
      if (isGrowing(expected.kind) && (await file.size()) <= growingContentOffset) return undefined;
      const { damage, isRepaired } = await headers.inspect(file, path, { ...expected, storeId });
      if (damage === undefined) return 'sound';
      return isRepaired ? 'repaired' : { damage };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isDamage(error)) return { damage: 'the disk does not open the file' };
    throw error;
  }
}

async function* growingFiles({ files, layout }: VolumeParts): AsyncGenerator<KnownFile> {
  for (const number of await numbersIn(files, layout.segments)) {
    yield { path: layout.segment(number), expected: { kind: 'segment', number } };
  }
  for (const number of await numbersIn(files, layout.journal)) {
    yield { path: layout.journalFile(number), expected: { kind: 'journal', number } };
  }
}

async function* snapshotFiles({ files, layout }: VolumeParts): AsyncGenerator<KnownFile> {
  for await (const name of files.list(layout.snapshots)) {
    const parsed = parseSnapshotName(name);
    if (parsed !== undefined) yield fileOfSnapshot(layout, parsed);
  }
}

async function* largeFiles({ files, layout }: VolumeParts): AsyncGenerator<KnownFile> {
  for await (const name of files.list(layout.large)) {
    const parsed = parseBlobId(name);
    if (parsed?.kind === 'large') yield fileOfBlob(layout, parsed);
  }
}
