import type { Log } from '../../lib/log.ts';
import { encodeFileHeader, type FileHeader, type FileIdentity } from './file-header.ts';
import type { Files, OpenFile } from './files.ts';
import {
  type HeaderCopies,
  hasRoomForCopies,
  isGrowing,
  readClosedHeader,
  readGrowingHeader,
} from './header-copies.ts';
import type { WriteGate } from './write-gate.ts';

/** So many files are remembered, so that each is reported once and not at every read. */
export const reportedMax = 10_000;

/** Which file it must be. What is not named may be anything. */
export type ExpectedFile = Pick<FileIdentity, 'kind' | 'storeId'> &
  Partial<Pick<FileHeader, 'fileId' | 'number' | 'createdAtMs' | 'contentBytes'>>;

interface Dependencies {
  readonly files: Files;
  readonly gate: WriteGate;
  readonly log: Log;
}

/** What there is of a header. */
export interface FoundCopies {
  /** Nothing when no copy is intact. */
  readonly header: FileHeader | undefined;
  /** What is wrong, or was until it was repaired. */
  readonly damage: string | undefined;
  readonly isRepaired: boolean;
}

/**
 * Reads headers of files. Of those of which a copy is damaged it tells the log, and writes the copy
 * anew from the one that is intact: a second damage would cost the file. A damage that can't be
 * repaired is told once.
 */
export class HeaderReader {
  readonly #with: Dependencies;
  readonly #reported = new Set<string>();

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  /** The header of a file, or in a sentence why there is none to go by. */
  async read(file: OpenFile, path: string, expected: ExpectedFile): Promise<FileHeader | string> {
    const { header, damage } = await this.inspect(file, path, expected);
    return header ?? damage ?? 'its file has no header';
  }

  async inspect(file: OpenFile, path: string, expected: ExpectedFile): Promise<FoundCopies> {
    const readCopies = isGrowing(expected.kind) ? readGrowingHeader : readClosedHeader;
    const copies = await readCopies(file, acceptOnly(expected));
    const { header, damages } = copies;
    const [damage] = damages;
    if (damage === undefined || this.#reported.has(path)) {
      return { header, damage, isRepaired: false };
    }
    if (this.#reported.size >= reportedMax) this.#reported.clear();
    this.#reported.add(path);
    const isLost = header === undefined;
    this.#with.log.warn('file.header-damaged', { path, damages, isLost });
    return { header, damage, isRepaired: !isLost && (await this.#repair(path, header, copies)) };
  }

  /** Writes the copy that is damaged anew, if the store may change. The other one stays as it is. */
  async #repair(
    path: string,
    header: FileHeader,
    { damagedOffsets }: HeaderCopies,
  ): Promise<boolean> {
    const { files, gate, log } = this.#with;
    if (!gate.isOpen) return false;
    try {
      const file = await files.open(path, 'read and write');
      try {
        if (!(await hasRoomForCopies(file, header))) return false;
        for (const offset of damagedOffsets) {
          await file.write(encodeFileHeader(header), offset);
          await gate.sync(() => file.sync());
        }
      } finally {
        await file.close();
      }
    } catch (cause) {
      // The header was read: whoever wanted it can go on.
      log.warn('file.header-not-repaired', { path, cause });
      return false;
    }
    log.info('file.header-repaired', { path });
    this.#reported.delete(path);
    return true;
  }
}

function acceptOnly(expected: ExpectedFile): (header: FileHeader) => string | undefined {
  return (header) => {
    if (header.storeId !== expected.storeId) {
      return `its file belongs to another store, ${header.storeId}`;
    }
    const names = Object.keys(expected) as (keyof ExpectedFile)[];
    if (names.every((name) => header[name] === expected[name])) return undefined;
    return `its file is another one, ${header.kind} ${header.number || header.fileId}`;
  };
}
