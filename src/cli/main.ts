import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isStartedByNpm, readProcessConfig } from '../config/env.ts';
import { SystemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { packageVersion } from '../lib/node/package-version.ts';
import { pinoLog } from '../lib/node/pino-log.ts';
import { systemRandomBytes } from '../lib/node/random.ts';
import { stopSignal } from '../lib/node/stop-signal.ts';
import type { Host } from './host.ts';
import { run } from './run.ts';
import { findRunningServer } from './running-server.ts';

/** Runs the command line of this process and sets its exit status. */
export async function main(args: readonly string[] = process.argv.slice(2)): Promise<void> {
  const version = packageVersion();
  process.exitCode = await run(args, processHost(version), version);
}

function processHost(version: string): Host {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {
      // Whoever was to read it has gone: `firn account list | head`. What was asked for is done.
    });
  }
  const print = (text: string) => void process.stdout.write(text);
  const clock = new SystemClock();
  const parts = { clock, randomBytes: systemRandomBytes, print };
  const quiet = { ...parts, log: silentLog };
  return {
    print,
    printError: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
    clock,
    readConfig: readProcessConfig,
    // The server is loaded when it is needed: `firn --help` does not wait for it.
    async serve(config) {
      const signal = stopSignal({ endsWithParent: isStartedByNpm() });
      const { serve } = await import('../compose.ts');
      await serve(config, { ...parts, log: pinoLog({ level: config.logLevel }), signal });
    },
    // One of the two is enough: the database can be made again from what lies with the blobs.
    hasData: ({ metadata, blobs }) =>
      [metadata.path, join(blobs.directory, 'store.id')].some((path) => existsSync(path)),
    findServer: ({ dataDirectory }) => findRunningServer({ dataDirectory, version }),
    async openAccounts(config) {
      const { openAccounts } = await import('../compose.ts');
      return openAccounts(config, quiet);
    },
    async openStatus(config) {
      const { openStatus } = await import('../maintenance.ts');
      return openStatus(config, quiet);
    },
    async check(config, onProgress) {
      const { check } = await import('../maintenance.ts');
      return check(config, { ...quiet, onProgress, signal: stopSignal() });
    },
    async repair(config) {
      const { repair } = await import('../maintenance.ts');
      return repair(config, { ...quiet, signal: stopSignal() });
    },
    async rotateKeys(config) {
      const { rotateKeys } = await import('../maintenance.ts');
      return rotateKeys(config, quiet);
    },
  };
}
