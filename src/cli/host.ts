import type { Config } from '../config/config.ts';
import type { Clock } from '../lib/clock.ts';
import type {
  ArchivePage,
  CheckEvent,
  CheckReport,
  RepairReport,
  RotationReport,
  StatusReport,
} from './reports.ts';

export interface NewAccount {
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly name: string;
}

export interface ListedAccount {
  readonly accountId: string;
  readonly name: string;
  readonly createdAtMs: number;
}

/** The accounts of a data directory. */
export interface OpenAccounts extends AsyncDisposable {
  readonly accounts: {
    create(account: { readonly name: string; readonly accountId?: string }): Promise<NewAccount>;
    list(): Promise<readonly ListedAccount[]>;
  };
}

/** How a data directory is doing. */
export interface OpenStatus extends AsyncDisposable {
  readonly status: {
    report(): Promise<StatusReport>;
    archives(query: {
      readonly after: number;
      readonly limit: number;
      readonly vaultName: string | null;
    }): Promise<ArchivePage>;
  };
}

/** A server that runs, asked through its admin endpoint. */
export interface RunningServer extends OpenAccounts, OpenStatus {}

/** What commands need of the outside world: values, so that tests can give others. */
export interface Host {
  /** Writes to standard output. */
  readonly print: (text: string) => void;
  /** Writes to standard error. */
  readonly printError: (text: string) => void;
  /** Whether a person watches standard error. */
  readonly isTerminal: boolean;
  readonly clock: Clock;
  readonly readConfig: (flags: Readonly<Record<string, string | undefined>>) => Config;
  /** Resolves when the server has stopped because it was asked to. */
  readonly serve: (config: Config) => Promise<void>;
  /** Whether the settings name a data directory that was used before. */
  readonly hasData: (config: Config) => boolean;

  /**
   * The server that runs on the data directory, or null. While one runs it alone may write to its
   * stores, so commands ask it; what follows opens the stores and is refused then.
   */
  readonly findServer: (config: Config) => Promise<RunningServer | null>;
  readonly openAccounts: (config: Config) => Promise<OpenAccounts>;
  /** Opens what is there, without changing it. */
  readonly openStatus: (config: Config) => Promise<OpenStatus>;
  /** Reads everything back. Rejects when the process is asked to stop. */
  readonly check: (config: Config, onProgress: (event: CheckEvent) => void) => Promise<CheckReport>;
  /** Makes the database again. */
  readonly repair: (config: Config) => Promise<RepairReport>;
  /** Puts everything under a new master key. */
  readonly rotateKeys: (config: Config) => Promise<RotationReport>;
}
