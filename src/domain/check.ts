import type { Clock } from '../lib/clock.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { Journal } from '../storage/journal.ts';
import { isSalvageDue } from '../storage/repair-state.ts';
import type { Snapshots } from '../storage/snapshots.ts';
import { checkArchives } from './check-archives.ts';
import { Findings } from './check-findings.ts';
import { findOrphans } from './check-orphans.ts';
import { checkOutputs } from './check-outputs.ts';
import { checkRecovery } from './check-recovery.ts';
import type {
  CheckEvent,
  CheckPhase,
  CheckReport,
  DamagedArchive,
  OrphanReport,
  RecoveryReport,
} from './check-report.ts';
import { allVaults, type RowReader } from './check-rows.ts';
import { checkParts, uploadsOfNoVault } from './check-uploads.ts';
import { wrongTotals } from './check-vaults.ts';

/** How many archives are read at once: enough to keep a disk busy, and to leave some of it to others. */
const defaultConcurrency = 4;
/** Crashes do not leave more blobs without a row. Whoever finds more has lost rows. */
const orphansMax = 100;

export interface CheckOptions {
  readonly rows: RowReader;
  readonly blobs: Pick<BlobStore, 'describe' | 'read' | 'list'>;
  /** Undefined where the database is not backed by snapshots and a journal. */
  readonly snapshots: Snapshots | undefined;
  readonly journal: Journal | undefined;
  /** The last batch that the database had before the journal was opened. */
  readonly databaseSequence?: number;
  readonly clock: Clock;
  /** What the database finds wrong with itself. */
  readonly integrityProblems?: () => Promise<readonly string[]>;
  /** Where it differs from its snapshots and journal; null when that could not be found out. */
  readonly replayDifferences?: (signal: AbortSignal) => Promise<readonly string[] | null>;
  readonly signal: AbortSignal;
  readonly concurrency?: number;
  readonly onProgress?: (event: CheckEvent) => void;
}

/**
 * Reads everything that is kept, and compares it with what it must be. Changes nothing, and may run
 * beside a server: what moves, comes or goes meanwhile is looked up again and not taken for damage.
 */
export async function check(options: CheckOptions): Promise<CheckReport> {
  const run = new Check(options);
  const startedAtMs = options.clock.now();
  // First, because a journal that is read without its server grows old.
  const recovery = await run.recovery();
  await run.database();
  await run.archives();
  await run.outputs();
  await run.uploads();
  await run.vaults();
  const orphans = await run.orphans();
  return { ...run.findings(recovery, orphans), durationMs: options.clock.now() - startedAtMs };
}

/** One check, and what it found so far. */
class Check {
  readonly #options: CheckOptions;
  readonly #damaged = new Findings<DamagedArchive>();
  readonly #problems = new Findings<string>();
  readonly #notes: string[] = [];
  #archivesChecked = 0;
  #outputsChecked = 0;
  #partsChecked = 0;
  #bytesRead = 0;
  #totals = { archivesTotal: 0, bytesTotal: 0 };

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  async recovery(): Promise<RecoveryReport | null> {
    const { snapshots, journal, clock, databaseSequence, signal } = this.#options;
    if (snapshots === undefined || journal === undefined) return null;
    this.#begin('recovery');
    const report = await checkRecovery({ snapshots, journal, clock, databaseSequence, signal });
    for (const problem of report.problems) this.#tell({ kind: 'problem', problem });
    return report;
  }

  async database(): Promise<void> {
    const { integrityProblems, replayDifferences, signal } = this.#options;
    if (integrityProblems === undefined || replayDifferences === undefined) return;
    this.#begin('database');
    const damages = await integrityProblems();
    const differences = damages.length > 0 ? [] : await replayDifferences(signal);
    const problems = [
      ...damages.map((damage) => `The database is damaged: ${damage}.`),
      ...(differences ?? []),
    ];
    for (const problem of problems) {
      this.#note(`${problem} \`firn repair --rebuild\` makes it again.`);
    }
  }

  async archives(): Promise<void> {
    const { rows, blobs, signal, concurrency } = this.#options;
    this.#begin('archives');
    for await (const vault of allVaults(rows)) {
      this.#totals.archivesTotal += vault.archiveCount;
      this.#totals.bytesTotal += vault.sizeBytes;
    }
    await checkArchives({
      rows,
      blobs,
      signal,
      concurrency: concurrency ?? defaultConcurrency,
      onBytes: (bytesRead) => {
        this.#bytesRead += bytesRead;
        this.#tellProgress();
      },
      onArchive: (damaged) => {
        this.#archivesChecked += 1;
        if (damaged === null) return;
        this.#damaged.add(damaged);
        this.#tell({ kind: 'damaged', archive: damaged });
      },
      onProblem: (problem) => this.#note(problem),
    });
    this.#tellProgress();
  }

  async outputs(): Promise<void> {
    this.#begin('outputs');
    for await (const { bytesRead, problem } of checkOutputs(this.#options)) {
      this.#outputsChecked += 1;
      this.#bytesRead += bytesRead;
      if (problem !== undefined) this.#note(problem);
    }
  }

  async uploads(): Promise<void> {
    this.#begin('uploads');
    for await (const { bytesRead, problem } of checkParts(this.#options)) {
      this.#partsChecked += 1;
      this.#bytesRead += bytesRead;
      if (problem !== undefined) this.#note(problem);
    }
    this.#notes.push(...(await uploadsOfNoVault(this.#options.rows)));
  }

  async vaults(): Promise<void> {
    this.#begin('vaults');
    const { rows, signal } = this.#options;
    for await (const problem of wrongTotals(rows, signal)) this.#note(problem);
  }

  async orphans(): Promise<OrphanReport> {
    this.#begin('orphans');
    const orphans = await findOrphans(this.#options);
    if (orphans.count > orphansMax) {
      this.#note(`${orphans.count} blobs have no row: rows have been lost.`);
    }
    if (orphans.archiveCount > 0) await this.#noteOrphanArchives(orphans.archiveCount);
    if (orphans.partCount > 0) this.#noteOrphanParts(orphans.partCount);
    return orphans;
  }

  findings(
    recovery: RecoveryReport | null,
    orphans: OrphanReport,
  ): Omit<CheckReport, 'durationMs'> {
    const isRecoverable = recovery === null || recovery.problems.length === 0;
    return {
      archivesChecked: this.#archivesChecked,
      outputsChecked: this.#outputsChecked,
      partsChecked: this.#partsChecked,
      bytesRead: this.#bytesRead,
      damagedCount: this.#damaged.count,
      damaged: this.#damaged.kept,
      orphans,
      problems: this.#problems.kept,
      notes: this.#notes,
      recovery,
      isSound: this.#damaged.count === 0 && this.#problems.count === 0 && isRecoverable,
    };
  }

  #begin(phase: CheckPhase): void {
    this.#options.signal.throwIfAborted();
    this.#tell({ kind: 'phase', phase });
  }

  async #noteOrphanArchives(count: number): Promise<void> {
    const which =
      count === 1
        ? 'One blob without a row is labelled as of an archive'
        : `${count} blobs without a row are labelled as of archives`;
    const why = (await isSalvageDue(this.#options.rows))
      ? 'If they are wanted, `firn repair --rebuild` makes rows for them.'
      : 'Uploads and deletions that a crash has cut short leave such blobs.';
    this.#notes.push(`${which}. ${why}`);
  }

  #noteOrphanParts(count: number): void {
    const which =
      count === 1
        ? 'One blob without a row is labelled as a part'
        : `${count} blobs without a row are labelled as parts`;
    const why =
      'Parts that were sent again, and those that a crash has cut short, leave such blobs.';
    this.#notes.push(`${which} of an upload. ${why}`);
  }

  #note(problem: string): void {
    this.#problems.add(problem);
    this.#tell({ kind: 'problem', problem });
  }

  #tellProgress(): void {
    const { archivesTotal, bytesTotal } = this.#totals;
    const archivesChecked = this.#archivesChecked;
    const bytesRead = this.#bytesRead;
    this.#tell({
      kind: 'progress',
      archivesChecked,
      archivesTotal: Math.max(archivesTotal, archivesChecked),
      bytesRead,
      bytesTotal: Math.max(bytesTotal, bytesRead),
    });
  }

  #tell(event: CheckEvent): void {
    this.#options.onProgress?.(event);
  }
}
