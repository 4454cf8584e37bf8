import type { Clock } from '../lib/clock.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { VaultRow } from '../storage/rows.ts';
import { Findings } from './check-findings.ts';
import { allVaults } from './check-rows.ts';
import { type LabelBatch, readLabels, type UnreadableBlob } from './salvage-labels.ts';
import { makeRows, placeCopies } from './salvage-rows.ts';
import { type BrokenArchive, brokenArchives, hasLabel } from './salvage-standing.ts';
import {
  FoundUploads,
  type IncompleteArchive,
  type MadeUpload,
  withoutLabel,
} from './salvage-uploads.ts';
import { FoundVaults } from './salvage-vaults.ts';

/** What is kept in mind of a part takes some 300 bytes, and of the only one of its archive twice that. */
const partsAtOnceMax = 500_000;

export interface SalvageOptions {
  readonly store: Pick<MetadataStore, 'read' | 'write'>;
  readonly blobs: Pick<BlobStore, 'list' | 'describe'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told how many blobs were looked at so far. Each is looked at twice, or more often. */
  readonly onProgress?: (blobsSeen: number) => void;
  /** Parts of uploads that are kept in mind at once: if there are more, blobs are gone through again. */
  readonly partsAtOnce?: number;
}

export interface SalvageReport {
  readonly vaultsMade: number;
  readonly archivesMade: number;
  /** Archives whose rows named a blob that is gone or damaged, or lacked parts, and lead to all now. */
  readonly archivesRepointed: number;
  /** Parts of which the same is true. */
  readonly partsRepointed: number;
  /** Archives that were not made: their vault was deleted, since another one has its name. */
  readonly archivesOfDeletedVaults: number;
  /**
   * Archives that were uploaded in parts, some of which are missing: they were not made, or have a row
   * and can't be retrieved whole. The first 10,000.
   */
  readonly archivesIncompleteCount: number;
  readonly archivesIncomplete: readonly IncompleteArchive[];
  /** Blobs that are parts of uploads of which no label tells that they became an archive. */
  readonly partsLeftAlone: number;
  /** Of the blobs without a row. The list holds the first 10,000. */
  readonly blobsUnreadableCount: number;
  readonly blobsUnreadable: readonly UnreadableBlob[];
  /** Blobs without a row whose label is of neither an archive nor a part: outputs of jobs, say. */
  readonly blobsWithoutLabelOfArchive: number;
  /** Accounts that own vaults and have no row: nobody can sign in as one of these. */
  readonly accountsWithoutRow: readonly string[];
}

/**
 * Makes rows again out of the labels of blobs, where rows were lost for good: for every archive whose
 * bytes are there and that has no row, its row, with its vault if that is missing too. One that was
 * uploaded in parts is made whole or not at all: with its upload and all its parts. What no label
 * tells of is not made: access keys, jobs, empty vaults, inventories, uploads that were not completed,
 * and whatever was set on a vault or an account. An archive whose deletion was lost with the rows is
 * there again, as long as its bytes still are.
 *
 * Nothing that is there is changed, but for rows whose blob is not, and for rows of parts that are not
 * those of the archive that they should be. Run again, it changes nothing
 * more. Nobody else may write to the stores meanwhile.
 *
 * Kept in mind are, beside the vaults, some 300 bytes for each archive without a row that was uploaded
 * in parts, and as much or twice as much for each of their parts: of these not more than `partsAtOnce`
 * at a time, and blobs are gone through again for the others. So a million archives of one part each
 * take some 600 megabytes, and a million parts of large ones a quarter of that. Archives of one blob
 * take no memory.
 */
export async function salvage(options: SalvageOptions): Promise<SalvageReport> {
  const run = new Salvage(options);
  await run.survey();
  await run.make();
  return { ...run.findings(), accountsWithoutRow: await accountsWithoutRow(options) };
}

class Salvage {
  readonly #options: SalvageOptions;
  readonly #vaults = new FoundVaults();
  readonly #uploads = new FoundUploads();
  readonly #unreadable = new Findings<UnreadableBlob>();
  readonly #incomplete = new Findings<IncompleteArchive>();
  /** Archives that have a row and lack the blob with their label. */
  readonly #withoutLabel: BrokenArchive[] = [];
  readonly #counts = {
    vaultsMade: 0,
    archivesMade: 0,
    archivesRepointed: 0,
    partsRepointed: 0,
    archivesOfDeletedVaults: 0,
    partsLeftAlone: 0,
    blobsWithoutLabelOfArchive: 0,
  };
  #vaultRows: ReadonlyMap<string, VaultRow> = new Map();
  #seenCount = 0;

  constructor(options: SalvageOptions) {
    this.#options = options;
  }

  /** When a vault was made, and which uploads became archives, is known once all labels were seen. */
  async survey(): Promise<void> {
    for await (const batch of this.#batches()) {
      for (const { label } of batch.archives) this.#vaults.add(label);
      for (const one of batch.uploadedArchives) {
        this.#vaults.add(one.label);
        this.#uploads.add(one);
      }
      for (const blob of batch.unreadable) this.#unreadable.add(blob);
      this.#counts.blobsWithoutLabelOfArchive += batch.otherCount;
    }
    this.#vaultRows = this.#vaults.rows();
    for await (const broken of brokenArchives(this.#options)) {
      if (broken.own === undefined) this.#withoutLabel.push(broken);
      else this.#uploads.add(broken.own);
    }
  }

  async make(): Promise<void> {
    let isFirst = true;
    for (const round of this.#uploads.rounds(this.#options.partsAtOnce ?? partsAtOnceMax)) {
      for await (const batch of this.#batches()) {
        if (isFirst) await this.#makeOfBatch(batch);
        for (const part of batch.parts) round.add(part);
      }
      for await (const made of round.makeAll(this.#rowOptions)) this.#note(made);
      isFirst = false;
    }
    for (const broken of this.#withoutLabel) {
      if (!(await hasLabel(broken, this.#options))) this.#incomplete.add(withoutLabel(broken));
    }
  }

  findings(): Omit<SalvageReport, 'accountsWithoutRow'> {
    return {
      ...this.#counts,
      archivesIncompleteCount: this.#incomplete.count,
      archivesIncomplete: this.#incomplete.kept,
      blobsUnreadableCount: this.#unreadable.count,
      blobsUnreadable: this.#unreadable.kept,
    };
  }

  get #rowOptions() {
    return { ...this.#options, vaultRows: this.#vaultRows };
  }

  async *#batches(): AsyncGenerator<LabelBatch> {
    for await (const batch of readLabels(this.#options)) {
      yield batch;
      this.#seenCount += batch.seenCount;
      this.#options.onProgress?.(this.#seenCount);
    }
  }

  /** The archives of one blob, and the places of copies. */
  async #makeOfBatch({ archives, uploadedArchives, parts }: LabelBatch): Promise<void> {
    const options = this.#rowOptions;
    for (const made of await makeRows(archives, options)) this.#note(made);
    for (const placed of await placeCopies(uploadedArchives, options)) {
      if (placed === 'repointed') this.#counts.archivesRepointed += 1;
    }
    for (const [index, placed] of (await placeCopies(parts, options)).entries()) {
      const uploadId = parts[index]?.label.uploadId ?? '';
      if (placed === 'repointed') this.#counts.partsRepointed += 1;
      else if (placed === 'without-row' && !this.#uploads.has(uploadId)) {
        this.#counts.partsLeftAlone += 1;
      }
    }
  }

  #note(made: MadeUpload): void {
    if (made.kind === 'archive-made') {
      this.#counts.archivesMade += 1;
      if (made.isVaultMade) this.#counts.vaultsMade += 1;
    } else if (made.kind === 'repointed') this.#counts.archivesRepointed += 1;
    else if (made.kind === 'vault-deleted') this.#counts.archivesOfDeletedVaults += 1;
    else if (made.kind === 'incomplete') this.#incomplete.add(made.archive);
  }
}

async function accountsWithoutRow({ store }: SalvageOptions): Promise<string[]> {
  const owners = new Set<string>();
  for await (const { accountId } of allVaults(store)) owners.add(accountId);
  return store.read(async ({ accounts }) => {
    const missing: string[] = [];
    for (const accountId of owners) {
      if ((await accounts.get(accountId)) === undefined) missing.push(accountId);
    }
    return missing.sort();
  });
}
