import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

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

/** A program that runs until disposed of, which asks it to end and waits for that. */
export interface RunningChild extends AsyncDisposable {
  readonly pid: number;
  /** From its start until it was ready. */
  readonly startSeconds: number;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
}

/** Starts a program, and resolves once `isReady` says so. */
export async function startChild(
  program: string,
  programArguments: readonly string[],
  options: {
    readonly isReady: () => Promise<boolean>;
    readonly env?: NodeJS.ProcessEnv;
    /** File descriptor that takes its standard error. */
    readonly errorTo: number | 'inherit';
  },
): Promise<RunningChild> {
  const startedAtMs = performance.now();
  const child = spawn(program, programArguments, {
    stdio: ['ignore', 'ignore', options.errorTo],
    env: options.env ?? process.env,
  });
  const letGo = endWithThisProcess(child);
  const { promise: ended, resolve: end } = Promise.withResolvers<number | string | null>();
  child.once('error', (error) => end(String(error)));
  child.once('close', (status, signal) => end(signal ?? status));
  await Promise.race([
    untilReady(options.isReady),
    ended.then((code) => Promise.reject(new Error(`${program} ended at its start with ${code}`))),
  ]);
  const startSeconds = (performance.now() - startedAtMs) / 1000;
  return {
    pid: child.pid ?? 0,
    startSeconds,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      const code = await ended;
      letGo();
      if (code !== 0 && code !== 'SIGTERM' && code !== 'SIGKILL') {
        throw new Error(`${program} ended with ${code}`);
      }
    },
  };
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  const server = createServer().listen({ host: '127.0.0.1', port: 0 }, resolve);
  await listening;
  const { port } = server.address() as AddressInfo;
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  server.close(() => close());
  await closed;
  return port;
}

/** Whether somebody accepts connections at a port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

const pollMs = 5;
const startMsMax = 60_000;

async function untilReady(isReady: () => Promise<boolean>): Promise<void> {
  const startedAtMs = performance.now();
  while (!(await isReady())) {
    if (performance.now() - startedAtMs > startMsMax) throw new Error('It does not answer.');
    await sleep(pollMs);
  }
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
