import { SimulatedClock } from '../lib/clock.ts';
import type { MetadataStore, Rows } from '../storage/metadata-store.ts';
import type { VaultRow, VerifiableArchive } from '../storage/rows.ts';
import type { WorkerState } from '../workers/runner.ts';
import type { ScrubProgress } from '../workers/scrub-archives.ts';
import { Status, type StatusSource } from './status.ts';

/** A server for tests: its facts can be set, and its rows are lists. */
export class SampleServer {
  readonly clock = new SimulatedClock();
  readonly rows = new SampleRows();
  scrub: ScrubProgress | null = {
    round: 3,
    startedAtMs: 1_000,
    lastCompletedAtMs: 2_000,
    archivesDone: 1,
    archivesTotal: 2,
    bytesDone: 10,
    bytesTotal: 30,
    damagedCount: 1,
    bytesPerSecond: 500,
  };
  lastSnapshotAtMs: number | null = 4_000;
  condition: 'ready' | 'full' | 'failed' = 'ready';
  workers: WorkerState[] = [
    { name: 'scrub-archives', state: 'working', lastError: null, lastErrorAtMs: null },
  ];

  readonly source: StatusSource = {
    version: '1.2.3',
    startedAtMs: 500,
    url: 'http://127.0.0.1:8480',
    masterKeyId: () => '00112233aabbccdd',
    store: async () => ({
      ...{ id: 'the store', format: 2, condition: this.condition },
      ...{ freeBytes: 700, sizeBytes: 1000 },
    }),
    metadata: async () => ({
      ...{ sequence: 42, journalBytes: 4096, lastSnapshotAtMs: this.lastSnapshotAtMs },
    }),
    scrub: () => this.scrub,
    workers: () => this.workers,
  };

  readonly status = new Status({ source: this.source, rows: this.rows, clock: this.clock });
}

/** Vaults and archives in memory: no more of the rows than a status asks for. */
export class SampleRows implements Pick<MetadataStore, 'read'> {
  readonly vaults: VaultRow[] = [];
  readonly archives: VerifiableArchive[] = [];
  summaryCount = 0;
  /** A store lists fewer archives at once than it was asked for where they have many blobs. */
  listedMax = Number.POSITIVE_INFINITY;

  read<T>(work: (rows: Rows) => Promise<T>): Promise<T> {
    const { vaults, archives } = this;
    const kept = () => archives.filter(({ archive }) => archive.removedChange === null);
    const rows = {
      vaults: {
        getById: async (id: string) => vaults.find(({ vaultId }) => vaultId === id),
        listAll: async ({ after, limit }: { after: string | null; limit: number }) =>
          vaults.filter(({ vaultId }) => vaultId > (after ?? '')).slice(0, limit),
      },
      verifications: {
        list: async ({ afterOrdinal, limit }: { afterOrdinal: number; limit: number }) =>
          archives
            .filter(({ ordinal }) => ordinal > afterOrdinal)
            .slice(0, Math.min(limit, this.listedMax)),
        listDamaged: async (limit: number) =>
          kept()
            .filter(({ last }) => last !== null && last.damage !== null)
            .slice(0, limit),
        summarise: async () => {
          this.summaryCount += 1;
          const dates = kept().flatMap(({ last }) => (last === null ? [] : [last.verifiedAtMs]));
          return {
            archiveCount: kept().length,
            unverifiedCount: kept().length - dates.length,
            damagedCount: kept().filter(({ last }) => last?.damage).length,
            oldestVerifiedAtMs: dates.length === 0 ? null : Math.min(...dates),
          };
        },
      },
    };
    return work(rows as unknown as Rows);
  }

  addVault(vaultId: string): void {
    this.vaults.push({
      ...{ vaultId, accountId: '123456789012', region: 'us-east-1', vaultName: `name-${vaultId}` },
      ...{ createdAtMs: 1, archiveCount: 0, sizeBytes: 0, changes: 0, changedAtMs: null },
      lastInventory: null,
    });
    this.vaults.sort((a, b) => (a.vaultId < b.vaultId ? -1 : 1));
  }

  /** An archive of ten bytes, in its vault unless it is said to be removed. */
  addArchive(
    vaultId: string,
    last: VerifiableArchive['last'] = null,
    { isRemoved = false } = {},
  ): string {
    const ordinal = this.archives.length + 1;
    const archive = {
      ...{ archiveId: `archive-${ordinal}`, vaultId, description: 'ours', createdAtMs: ordinal },
      ...{ sizeBytes: 10, treeHash: 'a1'.repeat(32), addedChange: 1 },
      removedChange: isRemoved ? 2 : null,
    };
    this.archives.push({ ordinal, archive, blobs: [], last });
    if (isRemoved) return archive.archiveId;
    const at = this.vaults.findIndex((vault) => vault.vaultId === vaultId);
    const [vault] = this.vaults.slice(at, at + 1);
    if (vault !== undefined) {
      const { archiveCount, sizeBytes } = vault;
      const totals = { archiveCount: archiveCount + 1, sizeBytes: sizeBytes + 10 };
      this.vaults[at] = { ...vault, ...totals };
    }
    return archive.archiveId;
  }
}
