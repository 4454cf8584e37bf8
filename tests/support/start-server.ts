import { readFileSync } from 'node:fs';
import { findRunningServer } from '../../src/cli/running-server.ts';
import { openAccounts, start } from '../../src/compose.ts';
import { type Config, readConfig } from '../../src/config/config.ts';
import { type Clock, SystemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { packageVersion } from '../../src/lib/node/package-version.ts';
import { systemRandomBytes } from '../../src/lib/node/random.ts';
import type { Credentials } from './signature.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

/** For tests that turn the time by hand: they are to import nothing of the server themselves. */
export { SimulatedClock } from '../../src/lib/clock.ts';

/** Somebody who may call a server. */
export interface Account {
  readonly accountId: string;
  readonly credentials: Credentials;
}

export interface LocalServer extends AsyncDisposable {
  readonly url: string;
  readonly account: Account;
  readonly dataDirectory: string;
  /** Makes another account, as `firn account create` does beside a running server. */
  createAccount(): Promise<Account>;
}

export interface StartOptions {
  /** Settings beyond those of a test server. */
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

export const testAccount: Account = {
  accountId: '012345678901',
  credentials: {
    accessKeyId: 'AKIATESTTESTTESTTEST',
    secretAccessKey: 'test/secret+of40characters/0123456789abcd',
  },
};

/** The settings that make `account` the first account of a server. */
export function accountSettings({ accountId, credentials }: Account): Record<string, string> {
  return {
    FIRN_ACCOUNT_ID: accountId,
    FIRN_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
    FIRN_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}

/** Starts a server in this process, on a directory of its own and a free port. */
export async function startServer({
  env = {},
  clock = new SystemClock(),
}: StartOptions = {}): Promise<LocalServer> {
  await using started = new AsyncDisposableStack();
  const directory = started.use(new TemporaryDirectory());
  const config: Config = readConfig({
    env: {
      FIRN_LISTEN: '127.0.0.1:0',
      FIRN_DATA_DIR: directory.path,
      ...accountSettings(testAccount),
      ...env,
    },
    flags: {},
    readFile: (path) => readFileSync(path, 'utf8'),
  });
  const host = { log: silentLog, clock, randomBytes: systemRandomBytes };
  const { url } = started.use(await start(config, host));
  const stopping = started.move();
  return {
    url,
    account: testAccount,
    dataDirectory: directory.path,
    async createAccount() {
      const dataDirectory = directory.path;
      const found = await findRunningServer({ dataDirectory, version: packageVersion() });
      await using opened = found ?? (await openAccounts(config, host));
      const { accountId, ...credentials } = await opened.accounts.create({ name: 'another' });
      return { accountId, credentials };
    },
    [Symbol.asyncDispose]: () => stopping.disposeAsync(),
  };
}
