import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { large } from './large.ts';
import { small } from './small.ts';
import type { Measurement, Settings } from './support/measurement.ts';
import { jsonOf, type Result, tableOf } from './support/report.ts';

const measurements: readonly Measurement[] = [large, small];

/** What `statfs` says of files that are in memory. */
const tmpfsType = 0x01021994;

const help = `npm run bench -- [NAME...] [OPTION...]

Measures, and prints what it found. Without a name, everything is measured.

${measurements.map(({ name, summary }) => `  ${name.padEnd(18)}${summary}`).join('\n')}

  --json            print the results as JSON
  --repeats N       how often each is measured (3)
  --mib N           size of the large archive (1024)
  --seconds N       how long each repeat of small uploads takes (10)
  --connections N   how many connections upload small archives (32)
  --dir DIRECTORY   where files are made, and removed afterwards: the disk that is measured
  --profile DIRECTORY   have Node write a processor profile of each server there
`;

const options = {
  help: { type: 'boolean' },
  json: { type: 'boolean' },
  repeats: { type: 'string', default: '3' },
  mib: { type: 'string', default: '1024' },
  seconds: { type: 'string', default: '10' },
  connections: { type: 'string', default: '32' },
  dir: { type: 'string', default: tmpdir() },
  profile: { type: 'string' },
} as const;

const { values: flags, positionals: names } = parsedArguments();

if (flags.help === true) console.log(help);
else process.exitCode = await main();

function parsedArguments() {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

async function main(): Promise<number> {
  // Ends through `exit`, where children are ended and files removed.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  try {
    const results: Result[] = [];
    for (const measurement of chosen()) results.push(await inOwnDirectory(measurement));
    console.log(flags.json === true ? jsonOf(results) : results.map(textOf).join('\n'));
    return 0;
  } catch (error) {
    console.error('Something is wrong:', error);
    return 1;
  }
}

function chosen(): readonly Measurement[] {
  const unknown = names.filter((name) => !measurements.some((known) => known.name === name));
  if (unknown.length > 0)
    throw new Error(`There is no measurement ${unknown.join(', ')}; see --help`);
  return measurements.filter(({ name }) => names.length === 0 || names.includes(name));
}

async function inOwnDirectory(measurement: Measurement): Promise<Result> {
  const directory = mkdtempSync(join(resolve(flags.dir), 'firn-bench-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const result = await measurement.run(settingsFor(directory));
    return { ...result, notes: [...result.notes, ...warningsAbout(directory)] };
  } finally {
    remove();
    process.off('exit', remove);
  }
}

function settingsFor(directory: string): Settings {
  const profileDirectory = flags.profile === undefined ? undefined : resolve(flags.profile);
  if (profileDirectory !== undefined) mkdirSync(profileDirectory, { recursive: true });
  return {
    directory,
    profileDirectory,
    repeats: positive('repeats', 100),
    // One request may bring 4 GiB.
    mib: positive('mib', 4096),
    // Requests are signed once per repeat, and a signature is good for five minutes.
    seconds: positive('seconds', 240),
    connections: positive('connections', 1000),
    say: (text) => console.error(text),
  };
}

function positive(name: 'repeats' | 'mib' | 'seconds' | 'connections', max: number): number {
  const value = Number(flags[name]);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`--${name} is a whole number from 1 to ${max}`);
}

function warningsAbout(directory: string): readonly string[] {
  const warnings: string[] = [];
  if (statfsSync(directory).type === tmpfsType) {
    warnings.push('The files were in memory (tmpfs): choose a disk with --dir.');
  }
  if (process.platform !== 'linux') {
    warnings.push('Memory and processor time of the server can be told on Linux only.');
  }
  if (flags.profile !== undefined) warnings.push('The server was profiled, which slows it down.');
  return warnings;
}

function textOf(result: Result): string {
  const notes = result.notes.map((note) => `${note}\n`).join('');
  return `${result.measurement}: ${result.about}\n\n${tableOf(result)}\n\n${notes}`;
}
