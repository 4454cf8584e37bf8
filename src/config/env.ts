import { readFileSync } from 'node:fs';
import { type Config, readConfig } from './config.ts';

/** The settings of this process: the only place that sees its environment. */
export function readProcessConfig(
  flags: Readonly<Record<string, string | undefined>> = {},
): Config {
  return readConfig({
    env: process.env,
    flags,
    readFile: (path) => readFileSync(path, 'utf8'),
    directory: process.cwd(),
  });
}

/** Whether npm started this process: by `npm start`, another script, or npx. */
export function isStartedByNpm(): boolean {
  return process.env['npm_command'] !== undefined;
}
