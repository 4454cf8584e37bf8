import { spawn, spawnSync } from 'node:child_process';

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** Why tests that need `command` are left out; false when the machine has it. */
export function missing(command: string, ...args: string[]): string | false {
  const { status, error } = spawnSync(command, args, { stdio: 'ignore' });
  if (error === undefined && status === 0) return false;
  const reason = `\`${[command, ...args].join(' ')}\` does not work on this machine`;
  process.stdout.write(`left out: ${reason}\n`);
  return reason;
}

/** Runs a command to its end. This process goes on meanwhile, and with it a server in it. */
export function run(
  command: string,
  args: readonly string[],
  { env = {}, cwd }: CommandOptions = {},
): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.on('error', reject);
  child.on('close', (status) => {
    const [stdout, stderr] = [out, err].map((chunks) => Buffer.concat(chunks).toString());
    resolve({ status, stdout: stdout ?? '', stderr: stderr ?? '' });
  });
  return promise;
}
