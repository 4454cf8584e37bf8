import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runStorms } from './storms.ts';

const usage = `Usage: npm run simulate -- [--seed N] [--runs M] [--thorough]

Lets M storms of operations, faults and crashes loose on a store on a simulated disk, the same ones
for the same N, and prints the history of the first that breaks a promise. With --thorough it then
explores the crash points and faults of all workloads as far as it can: that takes hours.`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    runs: { type: 'string', default: '1000' },
    thorough: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) print(usage);
else await simulate(Number(values.seed), Number(values.runs));

async function simulate(seed: number, runs: number): Promise<void> {
  print(`seed ${seed}, ${runs} storms`);
  const { steps } = await runStorms({ seed, runs });
  print(`${runs} storms of ${steps} steps broke no promise`);
  if (values.thorough) exploreThoroughly();
}

function exploreThoroughly(): void {
  const files = globSync('*.test.ts', { cwd: import.meta.dirname });
  const paths = files.map((name) => join(import.meta.dirname, name));
  const env = { ...process.env, FIRN_TEST_THOROUGH: 'yes' };
  const options = ['--test', '--test-reporter=spec', ...paths];
  const { status } = spawnSync(process.execPath, options, { env, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
