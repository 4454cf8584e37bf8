import { join } from 'node:path';
import { type CommandResult, run } from './commands.ts';

const root = join(import.meta.dirname, '../..');

/** Runs a command of the command line on a data directory, as a shell would. */
export function firn(dataDirectory: string, ...args: readonly string[]): Promise<CommandResult> {
  const env = { FIRN_DATA_DIR: dataDirectory };
  return run(process.execPath, ['bin/firn.js', ...args], { env, cwd: root });
}
