import type { Log } from '../../lib/log.ts';
import { type FileHeader, openDataKey } from './file-header.ts';
import { type Files, isFileError, type Layout, numbersIn, type OpenFile } from './files.ts';
import { readGrowingHeader } from './header-copies.ts';
import {
  firstSequenceIn,
  isMediaError,
  type JournalPart,
  scanJournalFile,
} from './journal-scan.ts';
import type { MasterKeys } from './master-keys.ts';

export interface JournalFilesOptions {
  readonly files: Files;
  readonly layout: Layout;
  readonly storeId: string;
  readonly masterKeys: MasterKeys;
  readonly log: Log;
}

/** A file of the journal, as far as it is known without opening its entries. */
export interface JournalFile {
  readonly number: number;
  /** Of its first entry; nothing when it has none that is intact. */
  readonly firstSequence: number | undefined;
  /** How far it holds entries whose `append` has ended, or everything when an earlier run made it. */
  readonly endBytes: number;
}

/** What there is of a journal on the disk, in the order of its files. */
export async function listJournalFiles({
  files,
  layout,
}: Pick<JournalFilesOptions, 'files' | 'layout'>): Promise<JournalFile[]> {
  const found: JournalFile[] = [];
  for (const number of await numbersIn(files, layout.journal)) {
    found.push(await look(files, layout.journalFile(number), number));
  }
  return found;
}

async function look(files: Files, path: string, number: number): Promise<JournalFile> {
  let file: OpenFile;
  try {
    file = await files.open(path, 'read');
  } catch (error) {
    if (!isMediaError(error)) throw error;
    return { number, firstSequence: undefined, endBytes: 0 };
  }
  try {
    const endBytes = await file.size();
    return { number, firstSequence: await firstSequenceIn(file, { number, endBytes }), endBytes };
  } finally {
    await file.close();
  }
}

/** The batches after `afterSequence` in one file of the journal, and what is damaged among them. */
export async function* readJournalFile(
  { number, endBytes }: JournalFile,
  afterSequence: number,
  options: JournalFilesOptions,
): AsyncGenerator<JournalPart> {
  const { files, layout } = options;
  let file: OpenFile;
  try {
    file = await files.open(layout.journalFile(number), 'read');
  } catch (error) {
    // It was forgotten meanwhile, or taken away: the batches that are missing tell which.
    if (isFileError(error, 'ENOENT')) return;
    if (!isMediaError(error)) throw error;
    yield { kind: 'damage', what: 'the disk does not open it', isCertain: true };
    return;
  }
  try {
    const key = await keyOf(file, number, options);
    yield* scanJournalFile(file, { number, endBytes, key, afterSequence });
  } finally {
    await file.close();
  }
}

async function keyOf(
  file: OpenFile,
  number: number,
  { storeId, masterKeys, log }: JournalFilesOptions,
): Promise<Uint8Array | undefined> {
  let key: Uint8Array | undefined;
  const accept = (header: FileHeader) => {
    if (header.kind !== 'journal') return 'the header is not that of a journal';
    if (header.storeId !== storeId) return `the header is that of the store ${header.storeId}`;
    if (header.number !== number) return `the header is that of the file number ${header.number}`;
    const opened = openDataKey(header, masterKeys);
    key ??= opened;
    return opened === undefined ? 'the data key in a header is damaged' : undefined;
  };
  const damages: string[] = [];
  try {
    damages.push(...(await readGrowingHeader(file, accept)).damages);
  } catch (error) {
    if (!isMediaError(error)) throw error;
    damages.push('the disk does not give back a header');
  }
  for (const damage of damages) log.warn('journal.damaged', { fileNumber: number, damage });
  return key;
}
