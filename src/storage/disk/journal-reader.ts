import type { JournalBatch, JournalDamage } from '../journal.ts';
import { type JournalFile, type JournalFilesOptions, readJournalFile } from './journal-files.ts';

/**
 * The batches after `afterSequence` in files that are given oldest first.
 *
 * That batches are lost is told by their numbers, which have no gaps; what was seen in their place
 * tells why. So what a crash left of a batch that was never acknowledged is no damage: the next run
 * gave its number to another.
 */
export async function* readJournal(
  files: readonly JournalFile[],
  afterSequence: number,
  options: JournalFilesOptions,
): AsyncGenerator<JournalBatch | JournalDamage> {
  let expected = afterSequence + 1;
  /** Seen since the last batch. */
  let cause: string | undefined;
  let isCertain = false;
  const needed = files.findLastIndex(({ firstSequence = Infinity }) => firstSequence <= expected);
  for (const [index, file] of files.entries()) {
    if (index < needed) continue;
    const end = firstSequenceBehind(files.slice(index + 1));
    for await (const part of readJournalFile(file, expected - 1, options)) {
      if (part.kind === 'damage') {
        cause ??= `${options.layout.journalFile(file.number)} is damaged, ${part.what}`;
        isCertain ||= part.isCertain;
        continue;
      }
      const { sequence } = part.batch;
      // Its append had failed, and its number was used again in the next file.
      if (sequence >= end || sequence < expected) continue;
      if (sequence > expected) yield lost(expected, sequence - 1, cause);
      yield part.batch;
      expected = sequence + 1;
      cause = undefined;
      isCertain = false;
    }
  }
  if (isCertain) yield lostAtEnd(expected, cause);
}

function firstSequenceBehind(files: readonly JournalFile[]): number {
  return Math.min(...files.map(({ firstSequence = Infinity }) => firstSequence));
}

function lost(first: number, last: number, cause: string | undefined): JournalDamage {
  const batches = first === last ? `Batch ${first} is` : `The batches ${first} to ${last} are`;
  return { damage: `${batches} lost${causeOf(cause)}` };
}

/** The journal ends there, and it cannot be known whether it always did. */
function lostAtEnd(first: number, cause: string | undefined): JournalDamage {
  return { damage: `The batches from ${first} on, if there were any, are lost${causeOf(cause)}` };
}

function causeOf(cause: string | undefined): string {
  return cause === undefined ? '' : `: ${cause}`;
}
