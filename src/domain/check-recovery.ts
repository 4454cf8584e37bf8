import type { Clock } from '../lib/clock.ts';
import { isStoreError } from '../storage/errors.ts';
import type { Journal } from '../storage/journal.ts';
import type { Snapshot, Snapshots } from '../storage/snapshots.ts';
import type { RecoveryReport } from './check-report.ts';

/** Beside a running server, a snapshot may be newer than what was read of the journal. */
const settlingMs = 60_000;
/** A snapshot that is taken while the check reads takes the journal before it away. */
const attemptsMax = 3;

export interface RecoveryOptions {
  readonly snapshots: Snapshots;
  readonly journal: Journal;
  readonly clock: Clock;
  /** The last batch that the database had before the journal was opened. */
  readonly databaseSequence?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Whether a database that is lost could be made again: every snapshot can be read to its end, the
 * journal has no gap, goes on where the oldest snapshot ends, and has all that the database has. Reads
 * again when snapshots came or went meanwhile.
 */
export async function checkRecovery(options: RecoveryOptions): Promise<RecoveryReport> {
  for (let attempt = 1; ; attempt += 1) {
    const before = await options.snapshots.list();
    const report = await checkOnce(before, options);
    if (report.problems.length === 0 || attempt === attemptsMax) return report;
    if (isSame(before, await options.snapshots.list())) return report;
  }
}

async function checkOnce(
  snapshots: readonly Snapshot[],
  options: RecoveryOptions,
): Promise<RecoveryReport> {
  const problems: string[] = [];
  for (const snapshot of snapshots) {
    const problem = await problemOf(snapshot, options);
    if (problem !== undefined) problems.push(problem);
  }
  for (const name of await options.snapshots.damaged()) {
    problems.push(`The snapshot ${name} of the database is damaged: its header cannot be read.`);
  }
  const journal = await checkJournal(snapshots, options);
  return {
    snapshotCount: snapshots.length,
    snapshotBytes: snapshots.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    batchCount: journal.batchCount,
    problems: [...problems, ...journal.problems],
  };
}

/** Why a snapshot can't be read to its end. */
async function problemOf(
  { name }: Snapshot,
  { snapshots, signal }: RecoveryOptions,
): Promise<string | undefined> {
  try {
    for await (const _chunk of snapshots.read(name)) signal.throwIfAborted();
    return undefined;
  } catch (error) {
    if (!isStoreError(error, 'BlobCorrupt') && !isStoreError(error, 'BlobNotFound')) throw error;
    return `The snapshot ${name} of the database is damaged: ${error.message}.`;
  }
}

async function checkJournal(
  snapshots: readonly Snapshot[],
  options: RecoveryOptions,
): Promise<Pick<RecoveryReport, 'batchCount' | 'problems'>> {
  const { journal, signal } = options;
  const startsAfter = snapshots.at(-1)?.sequence ?? 0;
  const problems: string[] = [];
  let batchCount = 0;
  let lastSequence = 0;
  for await (const entry of journal.read(startsAfter)) {
    signal.throwIfAborted();
    if ('damage' in entry) {
      problems.push(`The journal is damaged: ${entry.damage}.`);
      continue;
    }
    // Unless the journal has told so itself.
    if (batchCount === 0 && problems.length === 0 && entry.sequence !== startsAfter + 1) {
      problems.push(missing(startsAfter + 1, entry.sequence - 1, snapshots.length > 0));
    }
    batchCount += 1;
    lastSequence = entry.sequence;
  }
  const end = missingEnd(Math.max(lastSequence, journal.lastSequence), snapshots, options);
  return { batchCount, problems: end === undefined ? problems : [...problems, end] };
}

/** That the journal ends with batch `end`, where others know of later ones. */
function missingEnd(
  end: number,
  snapshots: readonly Snapshot[],
  { clock, databaseSequence = 0 }: RecoveryOptions,
): string | undefined {
  if (databaseSequence > end) {
    const database = `the database has batch ${databaseSequence}`;
    if (end > 0) return `The journal ends with batch ${end}, and ${database}: its end is lost.`;
    const gone = snapshots.length === 0 ? 'There is neither a snapshot nor a' : 'There is no';
    return `${gone} journal, and ${database}: it could not be made again without a loss.`;
  }
  const settledMs = clock.now() - settlingMs;
  const newest = snapshots.find(({ takenAtMs }) => takenAtMs <= settledMs);
  if (newest === undefined || newest.sequence <= end) return undefined;
  return (
    `The journal ends with batch ${end}, before the snapshot ${newest.name} of batch ` +
    `${newest.sequence}: its end is lost.`
  );
}

function missing(first: number, last: number, hasSnapshot: boolean): string {
  const since = hasSnapshot ? 'since the oldest snapshot' : 'and there is no snapshot';
  return `The journal lacks the batches ${first} to ${last}, ${since}.`;
}

function isSame(one: readonly Snapshot[], other: readonly Snapshot[]): boolean {
  const namesOf = (snapshots: readonly Snapshot[]) => snapshots.map(({ name }) => name).join('\n');
  return namesOf(one) === namesOf(other);
}
