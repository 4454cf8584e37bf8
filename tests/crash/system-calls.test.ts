import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import { createVault, freshName } from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { Ledger } from '../support/ledger.ts';
import { launch, spawnServer } from '../support/spawn-server.ts';
import { accountSettings, testAccount } from '../support/start-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

/**
 * The server is killed, or told of an error, at the n-th call of one kind, by `strace -e inject`. So
 * the moments between any two steps of a write are met for certain, not by luck.
 */
const calls = ['pwrite64', 'fdatasync', 'fsync', '?rename,?renameat2', '?unlink,?unlinkat'];
/** The first ones are those of a first start. `FIRN_TEST_CALLS=200 npm test` tries as many. */
const ordinals = ordinalsUpTo(Number(process.env['FIRN_TEST_CALLS'] ?? 2));
const errors = ['EIO', 'ENOSPC'] as const;

const env = accountSettings(testAccount);
const { credentials } = testAccount;
const missing = whyNot();

function whyNot(): string | false {
  const { error, status } = spawnSync('strace', ['-f', '-qq', '-e', 'trace=none', 'true']);
  if (error !== undefined) return 'strace is not installed';
  return status === 0 ? false : 'strace may not trace here';
}

/** Ever further apart: late calls differ less from their neighbours. */
function ordinalsUpTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.round(2 + index ** 1.8 * 9));
}

function strace(call: string, fault: string): string[] {
  const common = ['strace', '-f', '-qq', '--seccomp-bpf', '-o', '/dev/null'];
  return [...common, '-e', `trace=${call}`, '-e', `inject=${call}:${fault}`];
}

/** Uploads, deletes and asks until the server is gone, or enough was done. */
async function act(api: Api, ledger: Ledger): Promise<void> {
  await createVault(api, ledger.vault);
  for (let count = 0; count < 12; count += 1) {
    await ledger.upload(api, count % 4 === 3 ? 400_000 : 5_000);
    if (count % 3 === 2) await ledger.deleteOne(api);
  }
}

/** Starts a server under `wrapper` and works with it, as far as that goes. */
async function sufferFault(wrapper: string[], directory: string, ledger: Ledger): Promise<void> {
  const { child, stdout, ended } = launch({ dataDirectory: directory, env, wrapper });
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const url = () => /answers at (http:\/\/\S+)/.exec(stdout())?.[1];
  await eventually('it starts or ends', () => isOver || url() !== undefined, {
    deadlineMs: 30_000,
  });
  const found = url();
  if (found !== undefined) {
    using api = new Api({ url: found, credentials });
    await act(api, ledger).catch((error: unknown) => {
      // A connection that broke, or an answer that says that the store failed.
      const isExpected = error instanceof Error && ('code' in error || isRefusal(error));
      if (!isExpected) throw error;
    });
  }
  if (!isOver) askToStop(directory);
  try {
    await eventually('it ends', () => isOver, { deadlineMs: 10_000 });
  } finally {
    // As long as strace is there, nothing else ends the process that it traces.
    child.kill('SIGKILL');
  }
}

/** Ends the server itself: its tracer takes no notice of signals. */
function askToStop(directory: string): void {
  try {
    process.kill(Number(readFileSync(join(directory, 'server.pid'), 'utf8')), 'SIGTERM');
  } catch (error) {
    // It has just ended by itself, or never came so far as to note its number.
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

function isRefusal(error: Error): boolean {
  return error instanceof assert.AssertionError && error.message.includes('ServiceUnavailable');
}

/** Whatever befell it: a start without help, and all that was acknowledged. */
async function recover(directory: string, ledger: Ledger): Promise<void> {
  await using server = await spawnServer({ dataDirectory: directory, env });
  using api = new Api({ url: server.url, credentials });
  await createVault(api, ledger.vault);
  await ledger.verify(api);
  assert.equal(await ledger.upload(api, 1000), 201);
}

describe('a fault at a chosen system call', { skip: missing, concurrency: 2 }, () => {
  for (const call of calls) {
    for (const ordinal of ordinals) {
      test(`killed at ${call} no. ${ordinal}, it loses nothing`, async () => {
        using directory = new TemporaryDirectory();
        const ledger = new Ledger(freshName());
        const wrapper = strace(call, `signal=SIGKILL:when=${ordinal}`);
        await sufferFault(wrapper, directory.path, ledger);
        await recover(directory.path, ledger);
      });
    }
    for (const error of errors) {
      test(`told ${error} at ${call} no. 25 and after, it loses nothing`, async () => {
        using directory = new TemporaryDirectory();
        const ledger = new Ledger(freshName());
        await sufferFault(strace(call, `error=${error}:when=25+`), directory.path, ledger);
        await recover(directory.path, ledger);
      });
    }
  }
});
