import { after } from 'node:test';
import { Api } from './api.ts';
import { freshName } from './deeds.ts';
import { type Account, type StartOptions, startServer } from './start-server.ts';

/** The server that acceptance tests talk to. */
export interface Target {
  readonly url: string;
  readonly account: Account;
  /** Another account on the same server; undefined when the server is not ours and has none. */
  readonly other: Account | undefined;
  /** Where the server keeps its data; undefined when it is not ours. */
  readonly dataDirectory: string | undefined;
  /** Calls as the account, in a region in which nobody else has anything. */
  readonly api: Api;
}

const env = process.env;

/** Why a test can't run against a server that is not ours; false when it is ours. */
export const onlyOwnServer: string | false =
  env['FIRN_TEST_URL'] !== undefined && 'needs a server with settings of its own';

/**
 * The server at `FIRN_TEST_URL`, with the keys of the variables beside it, or else a server in this
 * process, which is stopped after the tests of the file.
 */
export async function openTarget(options: StartOptions = {}): Promise<Target> {
  const own = env['FIRN_TEST_URL'] === undefined ? await ownTarget(options) : namedTarget();
  const { url, account } = own;
  const region = env['FIRN_TEST_REGION'] ?? freshName('test');
  const api = new Api({ url, credentials: account.credentials, region });
  after(() => api[Symbol.dispose]());
  return { ...own, api };
}

async function ownTarget(options: StartOptions): Promise<Omit<Target, 'api'>> {
  const server = await startServer(options);
  after(() => server[Symbol.asyncDispose]());
  const { url, account, dataDirectory } = server;
  return { url, account, dataDirectory, other: await server.createAccount() };
}

function namedTarget(): Omit<Target, 'api'> {
  const account = namedAccount('FIRN_TEST_');
  if (account === undefined) {
    throw new Error(
      'FIRN_TEST_URL needs FIRN_TEST_ACCOUNT_ID, FIRN_TEST_ACCESS_KEY_ID and ' +
        'FIRN_TEST_SECRET_ACCESS_KEY beside it.',
    );
  }
  const url = (env['FIRN_TEST_URL'] ?? '').replace(/\/$/, '');
  return { url, account, other: namedAccount('FIRN_TEST_OTHER_'), dataDirectory: undefined };
}

function namedAccount(prefix: string): Account | undefined {
  const accountId = env[`${prefix}ACCOUNT_ID`];
  const accessKeyId = env[`${prefix}ACCESS_KEY_ID`];
  const secretAccessKey = env[`${prefix}SECRET_ACCESS_KEY`];
  if (accountId === undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    return undefined;
  }
  return { accountId, credentials: { accessKeyId, secretAccessKey } };
}
