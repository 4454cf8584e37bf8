import type { Log } from '../../lib/log.ts';
import type { FileHeader, FileIdentity } from './file-header.ts';
import type { OpenFile } from './files.ts';
import { type HeaderCopies, readClosedHeader, readGrowingHeader } from './header-copies.ts';

/** So many files are remembered, so that each is reported once and not at every read. */
export const reportedMax = 10_000;

/** Which file it must be. What is not named may be anything. */
export type ExpectedFile = Pick<FileIdentity, 'kind' | 'storeId'> &
  Partial<Pick<FileHeader, 'fileId' | 'number' | 'createdAtMs' | 'contentBytes'>>;

/** Reads headers of files, and reports those of which a copy is damaged. */
export class HeaderReader {
  readonly #log: Log;
  readonly #reported = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** The header of a segment, or in a sentence why there is none to go by. */
  async ofGrowing(file: OpenFile, path: string, expected: ExpectedFile) {
    return this.#intact(await readGrowingHeader(file, acceptOnly(expected)), path);
  }

  /** The header of a file of one blob, or in a sentence why there is none to go by. */
  async ofClosed(file: OpenFile, path: string, expected: ExpectedFile) {
    return this.#intact(await readClosedHeader(file, acceptOnly(expected)), path);
  }

  #intact({ header, damages }: HeaderCopies, path: string): FileHeader | string {
    if (damages.length > 0 && !this.#reported.has(path)) {
      if (this.#reported.size >= reportedMax) this.#reported.clear();
      this.#reported.add(path);
      this.#log.warn('file.header-damaged', { path, damages, isLost: header === undefined });
    }
    return header ?? damages[0] ?? 'its file has no header';
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
