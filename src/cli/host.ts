import type { Config } from '../config/config.ts';

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

/** The accounts of a data directory, opened beside a server that may be running. */
export interface OpenAccounts extends AsyncDisposable {
  readonly accounts: {
    create(account: { readonly name: string; readonly accountId?: string }): Promise<NewAccount>;
    list(): Promise<readonly ListedAccount[]>;
  };
}

/** What commands need of the outside world: values, so that tests can give others. */
export interface Host {
  /** Writes to standard output. */
  readonly print: (text: string) => void;
  /** Writes to standard error. */
  readonly printError: (text: string) => void;
  readonly readConfig: (flags: Readonly<Record<string, string | undefined>>) => Config;
  /** Resolves when the server has stopped because it was asked to. */
  readonly serve: (config: Config) => Promise<void>;
  readonly openAccounts: (config: Config) => Promise<OpenAccounts>;
  /** Whether the settings name a data directory that was used before. */
  readonly hasData: (config: Config) => boolean;
}
