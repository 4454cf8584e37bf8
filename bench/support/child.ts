import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

export interface Finished {
  readonly output: string;
  readonly seconds: number;
}

/** Runs a program to its end; undefined when there is no such program on this machine. */
export async function run(
  program: string,
  programArguments: readonly string[],
): Promise<Finished | undefined> {
  const startedAtMs = performance.now();
  const child = spawn(program, programArguments, { stdio: ['ignore', 'pipe', 'pipe'] });
  endWithThisProcess(child);
  const output = textOf(child.stdout);
  const complaints = textOf(child.stderr);
  const code = await new Promise<number | string | null>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve('missing');
      else reject(error);
    });
    child.once('close', (status, signal) => resolve(signal ?? status));
  });
  const seconds = (performance.now() - startedAtMs) / 1000;
  if (code === 'missing') return undefined;
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${await complaints}`);
  return { output: await output, seconds };
}

/** Runs a script of this folder in a Node of its own; task and result travel as JSON. */
export async function runScript(script: string, task: unknown): Promise<unknown> {
  const path = join(import.meta.dirname, script);
  const finished = await run(process.execPath, [path, JSON.stringify(task)]);
  if (finished === undefined) throw new Error(`There is no ${process.execPath}`);
  return JSON.parse(finished.output);
}

export interface RunningChild extends AsyncDisposable {
  readonly pid: number;
  /** What the first group of the pattern matched. */
  readonly matched: string;
}

/** Starts a Node that runs until disposed of; resolves once its output matches `pattern`. */
export async function startNode(
  nodeArguments: readonly string[],
  options: {
    readonly pattern: RegExp;
    readonly env?: NodeJS.ProcessEnv;
    /** File descriptor that takes its standard error. */
    readonly errorTo: number | 'inherit';
  },
): Promise<RunningChild> {
  const child = spawn(process.execPath, nodeArguments, {
    stdio: ['ignore', 'pipe', options.errorTo],
    env: options.env ?? process.env,
  });
  const letGo = endWithThisProcess(child);
  const ended = new Promise<number | string | null>((resolve) => {
    child.once('close', (status, signal) => resolve(signal ?? status));
  });
  const matched = await Promise.race([
    firstMatch(child, options.pattern),
    ended.then((code) => Promise.reject(new Error(`The server ended at its start with ${code}`))),
  ]);
  return {
    pid: child.pid ?? 0,
    matched,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      const code = await ended;
      letGo();
      if (code !== 0 && code !== 'SIGTERM') throw new Error(`The server ended with ${code}`);
    },
  };
}

function firstMatch(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const found = pattern.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** However this process ends, the child does not outlive it. */
function endWithThisProcess(child: ChildProcess): () => void {
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const letGo = () => process.off('exit', end);
  child.once('close', letGo);
  return letGo;
}
