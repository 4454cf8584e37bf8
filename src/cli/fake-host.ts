import { type Config, readConfig } from '../config/config.ts';
import { SimulatedClock } from '../lib/clock.ts';
import type { Host, ListedAccount, OpenAccounts, OpenStatus } from './host.ts';
import type {
  ArchivePage,
  ArchiveStatus,
  CheckEvent,
  CheckReport,
  RepairReport,
  RotationReport,
  StatusReport,
} from './reports.ts';
import { run } from './run.ts';

const listed: readonly ListedAccount[] = [
  { accountId: '000000000001', name: 'root', createdAtMs: Date.UTC(2026, 0, 31) },
];

export const soundArchive: ArchiveStatus = {
  ...{ accountId: '000000000001', region: 'us-east-1', vaultName: 'photos' },
  ...{ archiveId: 'archive-1', description: 'a\tb', sizeBytes: 10, createdAtMs: 1_000 },
  ...{ verifiedAtMs: Date.UTC(2026, 1, 1), damage: null },
};

export const damagedArchive: ArchiveStatus = {
  ...soundArchive,
  archiveId: 'archive-2',
  damage: 'frame 2 is damaged',
};

export const soundStatus: StatusReport = {
  ...{ version: '1.2.3', startedAtMs: Date.UTC(2026, 0, 1), url: 'http://127.0.0.1:8480' },
  store: { id: 'abcd', format: 2, condition: 'ready', freeBytes: 3 * 2 ** 30, sizeBytes: 2 ** 32 },
  masterKeyId: '00112233aabbccdd',
  vaults: { count: 2 },
  archives: { count: 1234, bytes: 1536 },
  metadata: { sequence: 42, journalBytes: 4096, lastSnapshotAtMs: null },
  scrub: {
    ...{ round: 3, archivesDone: 4, archivesTotal: 1234, bytesDone: 1024, bytesTotal: 1536 },
    ...{ lastCompletedAtMs: Date.UTC(2026, 0, 2), bytesPerSecond: 33_554_432 },
  },
  verification: {
    ...{ unverifiedCount: 1, damagedCount: 0, oldestVerifiedAtMs: Date.UTC(2026, 0, 3) },
    damaged: [],
  },
  workers: [{ name: 'scrub-archives', state: 'working', lastError: null, lastErrorAtMs: null }],
};

/** The outside world as tests of commands set it. */
export class FakeHost implements Host {
  out = '';
  err = '';
  served: Config | undefined;
  isClosed = false;
  isTerminal = false;
  isServerRunning = false;
  /** What was asked of whom: `server` or `stores`. */
  readonly asked: string[] = [];
  readonly clock = new SimulatedClock();
  statusReport = soundStatus;
  archives: ArchiveStatus[] = [];
  checkEvents: CheckEvent[] = [];
  checkReport: CheckReport | undefined;
  repairReport: RepairReport | undefined;
  rotationReport: RotationReport | undefined;

  readonly print = (text: string) => {
    this.out += text;
  };

  readonly printError = (text: string) => {
    this.err += text;
  };

  readonly readConfig: Host['readConfig'] = (flags) =>
    readConfig({ env: {}, flags, readFile: () => '', directory: '/srv' });

  readonly hasData: Host['hasData'] = ({ dataDirectory }) => dataDirectory !== '/new';

  readonly serve: Host['serve'] = async (config) => {
    this.served = config;
  };

  readonly findServer: Host['findServer'] = async (config) => {
    this.served = config;
    return this.isServerRunning ? this.#opened('server') : null;
  };

  readonly openAccounts: Host['openAccounts'] = async () => this.#opened('stores');

  readonly openStatus: Host['openStatus'] = async () => this.#opened('stores');

  readonly check: Host['check'] = async (_config, onProgress) => {
    for (const each of this.checkEvents) {
      onProgress(each);
      this.clock.advance(20_000);
    }
    return given(this.checkReport);
  };

  readonly repair: Host['repair'] = async () => given(this.repairReport);

  readonly rotateKeys: Host['rotateKeys'] = async () => given(this.rotationReport);

  #opened(by: 'server' | 'stores'): OpenAccounts & OpenStatus {
    return {
      accounts: {
        list: async () => {
          this.asked.push(`${by}: list`);
          return listed;
        },
        create: async ({ name, accountId = '000000000002' }) => {
          this.asked.push(`${by}: create ${name}`);
          if (name === 'broken') {
            throw new Error('The disk is full.', { cause: new Error('ENOSPC') });
          }
          const key = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'not-so-secret' };
          return { ...key, accountId, name };
        },
      },
      status: {
        report: async () => {
          this.asked.push(`${by}: report`);
          return this.statusReport;
        },
        archives: async (query) => this.#archivePage(by, query),
      },
      [Symbol.asyncDispose]: async () => {
        this.isClosed = true;
      },
    };
  }

  /** Two at a time, so that there are pages. */
  #archivePage(by: string, query: { after: number; vaultName: string | null }): ArchivePage {
    const { after, vaultName } = query;
    this.asked.push(`${by}: archives after ${after}`);
    const archives = this.archives
      .slice(after, after + 2)
      .filter((one) => vaultName === null || one.vaultName === vaultName);
    return { archives, after: after + 2 < this.archives.length ? after + 2 : null };
  }
}

/** Runs a command line in a world that `prepare` has set up. */
export async function runIn(
  prepare: Partial<FakeHost>,
  ...args: string[]
): Promise<{ status: number; out: string; err: string; host: FakeHost }> {
  const host = Object.assign(new FakeHost(), prepare);
  const status = await run(args, host, '1.2.3');
  return { status, out: host.out, err: host.err, host };
}

function given<T>(report: T | undefined): T {
  if (report === undefined) throw new Error('this was not expected to be asked for');
  return report;
}
