import { mkdirSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { inventory } from './inventory.ts';
import { large } from './large.ts';
import { lists } from './lists.ts';
import { million } from './million.ts';
import { parts } from './parts.ts';
import { small } from './small.ts';
import { type Disk, freshDisk, namedDisk } from './support/disk.ts';
import type { Measurement, Settings } from './support/measurement.ts';
import { jsonOf, type Result, tableOf } from './support/report.ts';

const measurements: readonly Measurement[] = [small, large, million, inventory, lists, parts];

/** Where Linux has a file system in memory. */
const memoryPath = '/dev/shm';
/** What `statfs` says of files that are in memory. */
const tmpfsType = 0x01021994;

const help = `npm run bench -- [NAME...] [OPTION...]

Measures, and prints what it found. Without a name, \`small\` and \`large\` are measured; the others
take long.

${measurements.map(({ name, summary }) => `  ${name.padEnd(18)}${summary}`).join('\n')}

  --json            print the results as JSON
  --repeats N       how often each is measured, in turns with nginx (5)
  --mib N           size of the large archive (1024)
  --seconds N       how long each repeat of small uploads takes (10)
  --connections N   how many connections upload small archives (32)
  --generators N    how many processes upload small archives (1)
  --count N         how many small archives a million are (1000000)
  --rows N          how many rows are behind a page of a list (100000)
  --parts N         how many parts a large upload has (10000)
  --dir DIRECTORY   where files are made, and removed afterwards, instead of a fresh file system,
                    which only root can make
  --disk-gib N      size of the fresh file system (24); only what is written takes room
  --profile DIRECTORY   have Node write a processor profile of each server there
`;

const options = {
  help: { type: 'boolean' },
  json: { type: 'boolean' },
  repeats: { type: 'string', default: '5' },
  mib: { type: 'string', default: '1024' },
  seconds: { type: 'string', default: '10' },
  connections: { type: 'string', default: '32' },
  generators: { type: 'string', default: '1' },
  count: { type: 'string', default: '1000000' },
  rows: { type: 'string', default: '100000' },
  parts: { type: 'string', default: '10000' },
  dir: { type: 'string' },
  'disk-gib': { type: 'string', default: '24' },
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
    for (const measurement of chosen()) results.push(await onOwnDisk(measurement));
    console.log(flags.json === true ? jsonOf(results) : results.map(textOf).join('\n'));
    return 0;
  } catch (error) {
    if (error instanceof SuppressedError) {
      // What failed first, and what then failed in cleaning up after it: either may tell why.
      console.error('Something is wrong:', error.suppressed, error.error);
    } else console.error('Something is wrong:', error);
    return 1;
  }
}

function chosen(): readonly Measurement[] {
  const unknown = names.filter((name) => !measurements.some((known) => known.name === name));
  if (unknown.length > 0)
    throw new Error(`There is no measurement ${unknown.join(', ')}; see --help`);
  return measurements.filter(({ name, isOnDemand }) =>
    names.length === 0 ? isOnDemand !== true : names.includes(name),
  );
}

/** Each starts on a file system that no other has used. */
async function onOwnDisk(measurement: Measurement): Promise<Result> {
  using disk =
    flags.dir === undefined ? freshDisk(positive('disk-gib', 10_000)) : namedDisk(flags.dir);
  using memory = inMemory(memoryPath) ? namedDisk(memoryPath) : undefined;
  const machine = aboutMachine();
  const result = await measurement.run(settingsFor(disk, memory));
  return { ...result, notes: [...result.notes, machine, ...notesAbout(disk)] };
}

function settingsFor(disk: Disk, memory: Disk | undefined): Settings {
  const profileDirectory = flags.profile === undefined ? undefined : resolve(flags.profile);
  if (profileDirectory !== undefined) mkdirSync(profileDirectory, { recursive: true });
  return {
    directory: disk.directory,
    memoryDirectory: memory?.directory,
    profileDirectory,
    repeats: positive('repeats', 100),
    // One request may bring 4 GiB.
    mib: positive('mib', 4096),
    // Requests are signed once per repeat, and a signature is good for five minutes.
    seconds: positive('seconds', 240),
    connections: positive('connections', 1000),
    generators: positive('generators', 64),
    count: positive('count', 1e9),
    rows: positive('rows', 1e9),
    parts: positive('parts', 10_000),
    say: (text) => console.error(text),
  };
}

type Numeric = Exclude<keyof typeof options, 'help' | 'json' | 'dir' | 'profile'>;

function positive(name: Numeric, max: number): number {
  const value = Number(flags[name]);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new Error(`--${name} is a whole number from 1 to ${max}`);
}

/** Its load as it is before a measurement: what others do meanwhile shows in every figure. */
function aboutMachine(): string {
  const model = cpus()[0]?.model ?? 'unknown';
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  const load = (loadavg()[0] ?? 0).toFixed(1);
  return (
    `${availableParallelism()} cores of ${model}, ${gib} GiB, Node ${process.version}, ` +
    `load average ${load} before.`
  );
}

function notesAbout(disk: Disk): readonly string[] {
  const notes = [disk.about];
  if (inMemory(disk.directory)) {
    notes.push('These were in memory (tmpfs): it says nothing about a disk.');
  }
  if (process.platform !== 'linux') {
    notes.push('Memory and processor time of the server can be told on Linux only.');
  }
  if (flags.profile !== undefined) notes.push('The server was profiled, which slows it down.');
  return notes;
}

function inMemory(path: string): boolean {
  try {
    return statfsSync(path).type === tmpfsType;
  } catch {
    // There is no such place, as on anything but Linux.
    return false;
  }
}

function textOf(result: Result): string {
  const notes = result.notes.map((note) => `${note}\n`).join('');
  return `${result.measurement}: ${result.about}\n\n${tableOf(result)}\n\n${notes}`;
}
