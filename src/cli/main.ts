import { existsSync, readFileSync } from 'node:fs';
import { isStartedByNpm, readProcessConfig } from '../config/env.ts';
import { SystemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { pinoLog } from '../lib/node/pino-log.ts';
import { systemRandomBytes } from '../lib/node/random.ts';
import { stopSignal } from '../lib/node/stop-signal.ts';
import type { Host } from './host.ts';
import { run } from './run.ts';

/** Runs the command line of this process and sets its exit status. */
export async function main(args: readonly string[] = process.argv.slice(2)): Promise<void> {
  process.exitCode = await run(args, processHost(), packageVersion());
}

function processHost(): Host {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {
      // Whoever was to read it has gone: `firn account list | head`. What was asked for is done.
    });
  }
  const print = (text: string) => void process.stdout.write(text);
  const parts = { clock: new SystemClock(), randomBytes: systemRandomBytes, print };
  return {
    print,
    printError: (text) => void process.stderr.write(text),
    readConfig: readProcessConfig,
    // The server is loaded when it is needed: `firn --help` does not wait for it.
    async serve(config) {
      const signal = stopSignal({ endsWithParent: isStartedByNpm() });
      const { serve } = await import('../compose.ts');
      await serve(config, { ...parts, log: pinoLog({ level: config.logLevel }), signal });
    },
    hasData: (config) => existsSync(config.metadata.path),
    async openAccounts(config) {
      const { openAccounts } = await import('../compose.ts');
      return openAccounts(config, { ...parts, log: silentLog });
    },
  };
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version }: { version: string } = JSON.parse(text);
  return version;
}
